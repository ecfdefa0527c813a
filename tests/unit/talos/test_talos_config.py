"""The configuration of a node, whole."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
from attrs import evolve

from provisioner.model.address import Address
from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.model.value import (
    Call,
    Origin,
    Ref,
    Secret,
    Sourced,
    Unknown,
    Value,
    dig,
    evaluate,
    has_secret,
    leaves,
    refs,
    reveal,
)
from provisioner.talos.config import generated as generated_package
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.encode import encode
from provisioner.talos.support import UnsupportedTalos, require

GOLDEN = Path(__file__).parents[2] / "golden" / "talos"
SECRETS = Address("talos.secrets", "cluster")
TALOS = TalosWish(version="v1.13.9", contract="1.13", kubernetes="v1.36.3")


Role = Literal["controlplane", "worker"]
ROLES: tuple[Role, ...] = ("controlplane", "worker")
MINORS = ("1.11", "1.12", "1.13", "1.14")


def modules() -> list[ModuleType]:
    """The modules that make a document of Talos 1.14 each."""
    names = [info.name for info in pkgutil.iter_modules(generated_package.__path__)]
    found = [importlib.import_module(f"{generated_package.__name__}.{name}") for name in names]
    return [module for module in found if hasattr(module, "KIND")]


def wish(minor: str) -> TalosWish:
    row = require(minor)
    return TalosWish(version=row.newest, contract=minor, kubernetes=row.kubernetes)


def written(minor: str, role: Role) -> list[dict[str, Any]]:
    """A whole configuration in plain Python, with words in place of secrets."""
    one = node(role)
    made = documents(
        one,
        topology(one, talos=wish(minor)),
        endpoint="https://api.example.org:6443",
        install_disk="/dev/sda",
        secrets=lambda path: f"fake:{path}",
    )
    functions = {"talos.pem": lambda text: f"PEM of {text}\n"}
    return [reveal(evaluate(each, lambda ref: Unknown(), functions)) for each in made]


def golden(name: str, text: str) -> None:
    file = GOLDEN / name
    if os.environ.get("PROV_GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert file.read_text() == text


def node(role: Role = "controlplane", **more: Any) -> Node:
    return Node(name=f"{role}-1", role=role, pool=role, provider="sim", **more)


def topology(*nodes: Node, talos: TalosWish = TALOS) -> Topology:
    return Topology(cluster="demo", nodes=nodes, endpoint=EndpointWish(), talos=talos)


def secret_ref(path: str) -> Value:
    return Ref(SECRETS, path)


def generated(
    one: Node,
    *,
    talos: TalosWish = TALOS,
    endpoint: Value = "10.0.0.1",
    install_disk: str | None = None,
) -> tuple[Mapping[str, Value], ...]:
    return documents(
        one, topology(one, talos=talos), endpoint=endpoint, install_disk=install_disk, secrets=secret_ref
    )


@pytest.mark.parametrize("role", ["controlplane", "worker"])
@pytest.mark.parametrize("minor", MINORS)
def test_the_whole_text_is_as_on_file(minor: str, role: Role) -> None:
    """`PROV_GOLDEN=write` rewrites the files; the difference is read like code."""
    golden(f"{minor}/{role}.yaml", encode(written(minor, role)))


@pytest.mark.parametrize("kind", sorted({one.KIND for one in modules()}))
def test_each_document_is_as_on_file(kind: str) -> None:
    """Of control planes first, then of workers where theirs is another one."""
    made = [each for role in ROLES for each in written("1.14", role) if each.get("kind") == kind]
    golden(f"documents/{kind}.yaml", encode([each for at, each in enumerate(made) if each not in made[:at]]))


def test_older_contracts_have_one_document_and_the_name() -> None:
    kinds = {minor: [each.get("kind") for each in written(minor, "worker")] for minor in MINORS[:-1]}
    assert kinds == {"1.11": [None], "1.12": [None, "HostnameConfig"], "1.13": [None, "HostnameConfig"]}


def test_a_worker_knows_no_private_key() -> None:
    known = {ref.output for ref in refs(tuple(generated(node("worker"))))}
    expected = {
        "certs.k8s.crt",
        "certs.os.crt",
        "cluster.id",
        "cluster.secret",
        "secrets.bootstraptoken",
        "trustdinfo.token",
    }
    assert expected == known


def test_a_control_plane_gets_the_whole_bundle() -> None:
    known = {ref.output for ref in refs(tuple(generated(node())))}
    expected = {
        *(f"certs.{name}.{half}" for name in ("etcd", "k8s", "k8saggregator", "os") for half in ("crt", "key")),
        "certs.k8sserviceaccount.key",
        "cluster.id",
        "cluster.secret",
        "secrets.bootstraptoken",
        "secrets.secretboxencryptionsecret",
        "trustdinfo.token",
    }
    assert expected == known


def test_an_endpoint_not_known_yet_stays_a_reference() -> None:
    host = Ref(Address("sim.balancer", "api"), "host")
    root = generated(node(), endpoint=host)[0]
    assert Call("concat", ("https://", host, ":6443")) == dig(root, "cluster.controlPlane.endpoint")
    assert ((host,), (host,)) == (dig(root, "machine.certSANs"), dig(root, "cluster.apiServer.certSANs"))


def test_an_ipv6_endpoint_brings_ipv6_networks() -> None:
    root = generated(node("worker"), endpoint="fd00::1")[0]
    assert (
        dig(root, "cluster.network.podSubnets"),
        dig(root, "cluster.network.serviceSubnets"),
    ) == (("fc00:db8:10::/56",), ("fc00:db8:20::/112",))


def test_without_a_disk_there_is_no_install_section() -> None:
    machine = generated(node())[0]["machine"]
    assert isinstance(machine, Mapping)
    assert "install" not in machine


def test_customisations_come_with_the_installer_of_their_schematic() -> None:
    schematic = "c9078f9419961640c712a8bf2bb9174933dfcf1da383fd8ea2b7dc21493f8bac"
    talos = evolve(TALOS, schematic=schematic)
    image = dig(generated(node(), talos=talos, install_disk="/dev/vda")[0], "machine.install.image")
    assert f"factory.talos.dev/metal-installer/{schematic}:v1.13.9" == image


def test_contract_1_12_still_has_an_empty_network() -> None:
    talos = TalosWish(version="v1.12.11", contract="1.12", kubernetes="v1.35.4")
    older, newer = (dict(generated(node(), talos=wish)[0]) for wish in (talos, TALOS))
    assert dig(older["machine"], "network") == {}
    assert set(_paths(older)) - set(_paths(newer)) == {("machine", "network")}


@pytest.mark.parametrize("contract", ["1.10", "1.15"])
def test_an_unknown_contract_is_refused(contract: str) -> None:
    with pytest.raises(UnsupportedTalos, match="not supported"):
        generated(node(), talos=evolve(TALOS, contract=contract))


def test_versions_may_be_written_without_v() -> None:
    plain = TalosWish(version="1.13.9", contract="1.13", kubernetes="1.36.3")
    assert generated(node(), install_disk="/dev/sda") == generated(node(), talos=plain, install_disk="/dev/sda")


def test_the_node_is_named_by_us() -> None:
    expected = {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "auto": "off", "hostname": "worker-1"}
    assert expected == generated(node("worker"))[1]
    assert 'auto: "off"\n' in encode([reveal(generated(node("worker"))[1])])


def test_patches_apply_in_order_with_their_origins() -> None:
    first, last = (Sourced(text, Origin(f"{text}.yaml", 1)) for text in ("first", "last"))
    patches = (
        ({"machine": {"sysctls": {"a": first, "b": first}}},),
        ({"machine": {"sysctls": {"b": last}}}, {"apiVersion": "v1alpha1", "kind": "OOMConfig"}),
    )
    result = generated(node("worker", patches=patches))
    assert {"a": first, "b": last} == dig(result[0], "machine.sysctls")
    assert [each.get("kind") for each in result] == [None, "HostnameConfig", "OOMConfig"]


def test_a_secret_that_a_patch_writes_out_gets_its_mark() -> None:
    auth = {"apiVersion": "v1alpha1", "kind": "RegistryAuthConfig", "name": "ghcr.io", "password": "planted"}
    result = generated(node("worker", patches=((auth,),)))
    assert Secret("planted") == result[2]["password"]
    assert "planted" not in repr(result)


def test_nothing_but_references_is_secret_in_a_configuration() -> None:
    assert not has_secret(tuple(generated(node(), install_disk="/dev/sda")))


def _paths(document: Mapping[str, Value]) -> list[tuple[str | int, ...]]:
    return [path for path, _ in leaves(document)]
