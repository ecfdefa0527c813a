"""Settings on their way into a node's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest
from fakes.settings_cases import read

from provisioner.model.address import Address
from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.model.value import Call, Origin, Ref, Sourced, Value, dig
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.settings import KUBERNETES_SETTINGS, MACHINE_SETTINGS
from provisioner.talos.settings.section import Document, Target
from provisioner.talos.versions import KNOWN, Contract

Role = Literal["controlplane", "worker"]
every_release = pytest.mark.parametrize("contract", KNOWN, ids=str)


def _assembled(text: str, *patches: Document, contract: str = "1.13", role: Role = "controlplane") -> list[Document]:
    node = Node("a-1", role, "a", "sim", settings=read(text).values, patches=(patches,) if patches else ())
    topology = Topology("demo", (node,), EndpointWish(), TalosWish("v1.13.9", contract, "v1.36.3"))
    made = documents(node, topology, endpoint="10.0.0.1", install_disk="/dev/sda", secrets=lambda path: path)
    return list(made)


def _kinds(text: str, target: Target) -> set[Value]:
    made = MACHINE_SETTINGS.patches(read(text).values, target)
    return {document.get("kind", "") for patch in made for document in patch}


def _root(made: list[Document]) -> Mapping[str, Value]:
    return made[0]


def test_a_leaf_says_in_the_configuration_where_it_was_written() -> None:
    made = _root(_assembled("sysctls:\n  vm.max_map_count: 262144\n"))
    expected = {"vm.max_map_count": Sourced("262144", Origin("machine.yaml", 2))}
    assert expected == dig(made, "machine.sysctls")


def test_patches_come_after_settings() -> None:
    """A patch has the last word, as it has over what is generated."""
    made = _root(_assembled("sysctls: {a: 1}", {"machine": {"sysctls": {"a": "2"}}}))
    assert dig(made, "machine.sysctls") == {"a": "2"}


def test_lists_of_settings_join_generated_ones() -> None:
    made = _root(_assembled("certificate_sans: [api.example.org]"))
    names = dig(made, "machine.certSANs")
    assert isinstance(names, tuple)
    assert names[0] == "10.0.0.1"
    assert names[-1] == Sourced("api.example.org", Origin("machine.yaml", 1))


@every_release
def test_a_password_written_out_is_secret_in_every_form(contract: Contract) -> None:
    text = "registries: {auth: {ghcr.io: {username: a, password: hunter2}}}"
    assert "hunter2" not in repr(_assembled(text, contract=str(contract)))


@every_release
def test_a_key_that_is_not_known_yet_is_put_into_base64_later(contract: Contract) -> None:
    """The root document has keys in base64, documents have them as they are."""
    key = Ref(Address("a.b", "c"), "key")
    settings = {"registries": {"tls": {"ghcr.io": {"client": {"cert": "c", "key": key}}}}}
    made = [each for patch in MACHINE_SETTINGS.patches(settings, Target(contract)) for each in patch]

    form = Call("talos.base64", (key,)) if contract < Contract(1, 12) else key
    assert repr(form) in repr(made)
    assert repr(made).count(repr(key)) == 1


@every_release
def test_workers_have_no_part_in_what_is_for_control_planes(contract: Contract) -> None:
    text = "{vip: {address: 10.0.0.9, link: eth0}}"
    leads, follows = (_kinds(text, Target(contract, leads=role)) for role in (True, False))
    assert leads != set()
    assert follows == set()


@every_release
def test_the_clusters_plugin_and_proxy_are_told_to_control_planes_only(contract: Contract) -> None:
    settings = read("{cni: none, proxy: false, schedule_on_control_planes: true}", KUBERNETES_SETTINGS).values

    assert list(KUBERNETES_SETTINGS.patches(settings, Target(contract, leads=True))) != []
    assert list(KUBERNETES_SETTINGS.patches(settings, Target(contract, leads=False))) == []


@every_release
def test_where_the_image_boots_in_place_nothing_is_installed(contract: Contract) -> None:
    """Else a node in a cloud would install itself over its own disk."""
    text = "install: {disk: /dev/vdb, wipe: true}"
    assert _kinds(text, Target(contract, installs=True)) != set()
    assert _kinds(text, Target(contract, installs=False)) == set()


@every_release
def test_nothing_said_changes_nothing(contract: Contract) -> None:
    assert _assembled("{}", contract=str(contract)) == _assembled("time:", contract=str(contract))
    assert list(MACHINE_SETTINGS.patches({}, Target(contract))) == []


def test_no_two_sections_take_the_same_key() -> None:
    """Else one would silently read what is meant for the other."""
    for area in (MACHINE_SETTINGS, KUBERNETES_SETTINGS):
        keys = [key for section in area.sections for key in section.keys]
        assert sorted(set(keys)) == sorted(keys)
