"""The configuration of a node, whole."""

from __future__ import annotations

import base64
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
from provisioner.talos.config.patch import PatchError
from provisioner.talos.config.pem import pem
from provisioner.talos.provider import provider
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


def by_kind(documents: tuple[Mapping[str, Value], ...]) -> dict[str, Mapping[str, Value]]:
    """The documents by kind, the root under nothing."""
    return {str(each.get("kind", "")): each for each in documents}


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


@pytest.mark.parametrize("minor", MINORS)
def test_a_worker_knows_no_private_key(minor: str) -> None:
    known = {ref.output for ref in refs(tuple(generated(node("worker"), talos=wish(minor))))}
    expected = {
        "certs.k8s.crt",
        "certs.os.crt",
        "cluster.id",
        "cluster.secret",
        "secrets.bootstraptoken",
        "trustdinfo.token",
    }
    assert expected == known


@pytest.mark.parametrize("minor", MINORS)
def test_a_control_plane_gets_the_whole_bundle(minor: str) -> None:
    known = {ref.output for ref in refs(tuple(generated(node(), talos=wish(minor))))}
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


def test_documents_refer_to_an_endpoint_not_known_yet_as_well() -> None:
    host = Ref(Address("sim.balancer", "api"), "host")
    made = by_kind(generated(node(), talos=wish("1.14"), endpoint=host))
    url = Call("concat", ("https://", host, ":6443"))
    assert url == made["KubeClusterConfig"]["endpoint"] == dig(made["KubeServiceAccountConfig"], "issuer.issuerURL")
    assert (host,) == made["KubeAPIServerConfig"]["certExtraSANs"] == dig(made[""], "machine.certSANs")


def test_certificates_are_texts_in_documents_and_encoded_in_the_root() -> None:
    made = by_kind(generated(node(), talos=wish("1.14")))
    assert secret_ref("certs.etcd.key") == dig(made[""], "cluster.etcd.ca.key")
    key = Call("talos.pem", (secret_ref("certs.k8s.key"),))
    assert key == dig(made["KubeAPIServerCAConfig"], "issuingCA.key")


def test_a_text_made_of_a_secret_is_secret() -> None:
    text = "-----BEGIN EC PRIVATE KEY-----\nplanted\n-----END EC PRIVATE KEY-----\n"
    encoded = Secret(base64.b64encode(text.encode()).decode())
    call = Call("talos.pem", (secret_ref("certs.k8s.key"),))
    assert Secret(text) == evaluate(call, lambda ref: encoded, provider.functions)
    assert isinstance(evaluate(call, lambda ref: Unknown(), provider.functions), Unknown)


@pytest.mark.parametrize("text", ["not base64: %", base64.b64encode(b"no PEM").decode(), "//79"])
def test_what_is_no_pem_text_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="no PEM text") as caught:
        pem(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("disk", "match"),
    [
        ("/dev/vda", 'disk.dev_path == "/dev/vda"'),
        ("/dev/disk/by-id/wwn-1", '"/dev/disk/by-id/wwn-1" in disk.symlinks'),
    ],
)
def test_a_disk_is_chosen_by_its_path_or_by_a_link_to_it(disk: str, match: str) -> None:
    made = by_kind(generated(node(), talos=wish("1.14"), install_disk=disk))
    assert match == dig(made["UnattendedInstallConfig"], "provisioning.diskSelector.match")
    assert "install" not in _mapping(made[""]["machine"])


@pytest.mark.parametrize("role", ROLES)
def test_from_1_14_the_role_of_a_node_is_told_to_kubernetes(role: Role) -> None:
    """Labels and taints are taken as they are then; before, Talos adds those of control planes itself."""
    shown = by_kind(generated(node(role), talos=wish("1.14")))["KubeNodeConfig"]
    marked = {"node-role.kubernetes.io/control-plane": "NoSchedule"}
    assert (marked if role == "controlplane" else None) == shown.get("taints")


def test_before_1_12_the_name_stands_in_the_root() -> None:
    (root,) = generated(node("worker"), talos=wish("1.11"))
    assert dig(root, "machine.network.hostname") == "worker-1"


@pytest.mark.parametrize("minor", MINORS)
def test_a_patch_cannot_rename_a_node(minor: str) -> None:
    legacy: Mapping[str, Value] = {"machine": {"network": {"hostname": "other"}}}
    document: Mapping[str, Value] = {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": "other"}
    patch = legacy if minor == "1.11" else document
    with pytest.raises(PatchError, match="renames a node"):
        generated(node(patches=((patch,),)), talos=wish(minor))


def test_a_patch_cannot_take_a_node_s_name_away() -> None:
    deletion: Mapping[str, Value] = {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "$patch": "delete"}
    with pytest.raises(PatchError, match="renames a node"):
        generated(node("worker", patches=((deletion,),)), talos=wish("1.13"))


def test_an_ipv6_endpoint_brings_ipv6_networks() -> None:
    networks = by_kind(generated(node(), talos=wish("1.14"), endpoint="fd00::1"))["KubeNetworkConfig"]
    assert (networks["podSubnets"], networks["serviceSubnets"]) == (("fc00:db8:10::/56",), ("fc00:db8:20::/112",))
    root = generated(node("worker"), endpoint="fd00::1")[0]
    assert (
        dig(root, "cluster.network.podSubnets"),
        dig(root, "cluster.network.serviceSubnets"),
    ) == (("fc00:db8:10::/56",), ("fc00:db8:20::/112",))


def test_without_a_disk_there_is_no_install_section() -> None:
    assert "UnattendedInstallConfig" not in by_kind(generated(node(), talos=wish("1.14")))
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


@pytest.mark.parametrize("minor", MINORS)
def test_what_nobody_knows_passes_through_in_order(minor: str) -> None:
    """Kinds and keys of tomorrow, in the root document and in others: a newer Talos needs no newer prov."""
    machine = {"warpCore": {"b": (3, {"z": None, "a": True}), "a": ""}}
    known: dict[str, Value] = {"apiVersion": "v1alpha1", "kind": "EventSinkConfig", "zeta": (1,), "alpha": {"k": 0}}
    unknown: tuple[Mapping[str, Value], ...] = tuple(
        {"apiVersion": "v7", "kind": kind, "name": "x", "zeta": 1, "alpha": {"b": (), "a": 1.5}}
        for kind in ("TomorrowConfig", "AnotherConfig")
    )
    plain = generated(node("worker"), talos=wish(minor))
    patched = generated(node("worker", patches=(({"machine": machine}, known, *unknown),)), talos=wish(minor))

    assert (known, *unknown) == patched[len(plain) :]
    assert plain[1:] == patched[1 : len(plain)]
    root = dict(plain[0]) | {"machine": {**_mapping(plain[0]["machine"]), **machine}}
    assert root == patched[0]
    assert list(_mapping(patched[0]["machine"]))[-1] == "warpCore"
    assert [list(each) for each in (known, *unknown)] == [list(each) for each in patched[len(plain) :]]


def _mapping(value: Value) -> Mapping[str, Value]:
    assert isinstance(value, Mapping)
    return value


def test_a_secret_that_a_patch_writes_out_gets_its_mark() -> None:
    auth = {"apiVersion": "v1alpha1", "kind": "RegistryAuthConfig", "name": "ghcr.io", "password": "planted"}
    result = generated(node("worker", patches=((auth,),)))
    assert Secret("planted") == result[2]["password"]
    assert "planted" not in repr(result)


@pytest.mark.parametrize("minor", MINORS)
def test_nothing_but_references_is_secret_in_a_configuration(minor: str) -> None:
    assert not has_secret(tuple(generated(node(), talos=wish(minor), install_disk="/dev/sda")))


def _paths(document: Mapping[str, Value]) -> list[tuple[str | int, ...]]:
    return [path for path, _ in leaves(document)]
