"""Which changes of a configuration reboot a node."""

from __future__ import annotations

import pytest

from provisioner.model.step import ABSENT, FieldChange
from provisioner.model.value import Path, Value
from provisioner.talos.config.immediate import needs_reboot, reboot_fields


def change(*path: str | int, before: Value = "a", after: Value = "b") -> FieldChange:
    return FieldChange(("documents", *path), before, after)


@pytest.mark.parametrize(
    "path",
    [
        (0, "debug"),
        (0, "cluster", "apiServer", "extraArgs", "v"),
        (0, "cluster", "etcd", "ca", "crt"),
        (0, "machine", "certSANs", 1),
        (0, "machine", "ca", "crt"),
        (0, "machine", "kubelet", "image"),
        (0, "machine", "install", "disk"),
        (0, "machine", "sysctls", "vm.max_map_count"),
        (0, "machine", "nodeLabels", "a"),
        (0, "machine", "features", "kubePrism", "port"),
        (0, "machine", "features", "hostDNS", "enabled"),
        ("HostnameConfig", "hostname"),
        ("KubeletConfig", "image"),
        ("KubeAPIServerConfig", "extraArgs", "v"),
        ("UserVolumeConfig data", "provisioning", "maxSize"),
        ("KindOfTomorrow x", "machine", "type"),
    ],
)
def test_changes_that_take_effect_at_once(path: Path) -> None:
    assert not needs_reboot([change(*path)])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ((0, "machine", "type"), "machine.type"),
        ((0, "machine", "token"), "machine.token"),
        ((0, "machine", "files", 0, "content"), "machine.files[0].content"),
        ((0, "machine", "env", "http_proxy"), "machine.env.http_proxy"),
        ((0, "machine", "udev", "rules", 0), "machine.udev.rules[0]"),
        ((0, "machine", "features", "diskQuotaSupport"), "machine.features.diskQuotaSupport"),
        ((0, "machine", "features"), "machine.features"),
        ((0, "persist"), "persist"),
        ((0, "cluster", "etcd", "extraArgs", "quota-backend-bytes"), "cluster.etcd.extraArgs.quota-backend-bytes"),
        ((0, "cluster", "etcd", "image"), "cluster.etcd.image"),
        (("EnvironmentConfig", "variables", "http_proxy"), "EnvironmentConfig: variables.http_proxy"),
        (("KernelModuleConfig nbd", "parameters", 0), "KernelModuleConfig nbd: parameters[0]"),
        (("VolumeConfig STATE", "encryption", "keys", 0, "slot"), "VolumeConfig STATE: encryption.keys[0].slot"),
        (("SecurityProfileConfig", "workloadIsolation"), "SecurityProfileConfig: workloadIsolation"),
    ],
)
def test_changes_that_reboot(path: Path, field: str) -> None:
    assert needs_reboot([change(*path)])
    assert (field,) == reboot_fields([change(*path)])


@pytest.mark.parametrize(
    ("name", "field", "comes", "goes"),
    [
        ("KernelModuleConfig nbd", "parameters", False, True),
        ("EnvironmentConfig", "variables", True, True),
        ("UserVolumeConfig data", "encryption", False, False),
        ("SysctlConfig", "params", False, False),
    ],
)
def test_a_whole_document_may_wait_for_a_boot_when_it_comes_or_goes(
    name: str, field: str, comes: bool, goes: bool
) -> None:
    """A kernel module is loaded at once, and stays until the next boot."""
    coming = [change(name, key, before=ABSENT) for key in ("kind", field)]
    going = [change(name, key, after=ABSENT) for key in ("kind", field)]
    assert (comes, goes) == (needs_reboot(coming), needs_reboot(going))


def test_a_new_kernel_module_is_loaded_at_once_and_another_one_needs_a_boot() -> None:
    """In the root document, where modules are a list."""
    module = (0, "machine", "kernel", "modules", 1)
    coming = [change(*module, *rest, before=ABSENT) for rest in (("name",), ("parameters", 0))]
    assert not needs_reboot(coming)
    assert needs_reboot([change(*module, "parameters", 0, before=ABSENT)])
    assert needs_reboot([change(*module, "name", after=ABSENT)])


def test_the_fields_that_reboot_are_named_in_order() -> None:
    changes = [change(0, "machine", "type"), change(0, "cluster", "token"), change(0, "machine", "env", "A")]
    assert reboot_fields(changes) == ("machine.env.A", "machine.type")


def test_no_change_reboots_nothing() -> None:
    assert not needs_reboot([])
