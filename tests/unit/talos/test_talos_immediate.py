"""Which changes reboot a node of Talos 1.13."""

from __future__ import annotations

import pytest

from provisioner.model.value import Path
from provisioner.talos.config.immediate import needs_reboot, reboot_fields


@pytest.mark.parametrize(
    "path",
    [
        (0, "debug"),
        (0, "cluster", "apiServer", "extraArgs", "v"),
        (0, "machine", "certSANs", 1),
        (0, "machine", "ca", "crt"),
        (0, "machine", "kubelet", "image"),
        (0, "machine", "install", "disk"),
        (0, "machine", "sysctls", "vm.max_map_count"),
        (0, "machine", "nodeLabels", "a"),
        (0, "machine", "features", "kubePrism", "port"),
        (0, "machine", "features", "hostDNS", "enabled"),
        (1, "hostname"),
        (2, "machine", "type"),
    ],
)
def test_changes_that_take_effect_at_once(path: Path) -> None:
    assert not needs_reboot([("documents", *path)])


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
    ],
)
def test_changes_that_reboot(path: Path, field: str) -> None:
    assert needs_reboot([("documents", *path)])
    assert (field,) == reboot_fields([("documents", *path)])


def test_the_fields_that_reboot_are_named_in_order() -> None:
    paths: list[Path] = [
        ("documents", 0, "machine", "type"),
        ("documents", 0, "cluster", "token"),
        ("documents", 0, "machine", "env", "A"),
    ]
    assert reboot_fields(paths) == ("machine.env.A", "machine.type")


def test_no_change_reboots_nothing() -> None:
    assert not needs_reboot([])
