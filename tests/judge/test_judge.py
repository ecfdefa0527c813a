"""What prov makes, before Talos's own configuration library (`make judge`; needs Go, which is a judge only).

The library of each minor release decodes and validates our configurations, makes the same ones from the same
secrets, and reads our secrets bundle as we read its.
"""

from __future__ import annotations

import re
import secrets as chance
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve

from provisioner.blueprints.find import shipped
from provisioner.cluster.topology import topology_of
from provisioner.model.functions import CORE
from provisioner.model.topology import Topology
from provisioner.model.value import Path as ValuePath
from provisioner.model.value import Secret, Unknown, Value, dig, evaluate, freeze, leaves, reveal
from provisioner.planner.compare import differences
from provisioner.spec.load import load
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.encode import decode, encode
from provisioner.talos.config.endpoint import url
from provisioner.talos.config.patch import PatchError
from provisioner.talos.config.redact import mark_secrets
from provisioner.talos.images.installer import installer_image
from provisioner.talos.pki.bundle import from_tree, generate, to_tree
from provisioner.talos.provider import provider as talos
from provisioner.talos.support import kubernetes_fits, require
from provisioner.talos.versions import Contract

ROOT = Path(__file__).parents[2]
ENDPOINT = "10.0.0.5"
Judge = Callable[..., dict[str, Any]]
Documents = Sequence[Mapping[str, Value]]
FUNCTIONS = {**CORE, **talos.functions}

MINORS = ("1.11", "1.12", "1.13", "1.14")
everywhere = pytest.mark.parametrize("minor", MINORS)

EXPLAINED = {
    "machine.certSANs[0]": "prov puts the endpoint's host into the Talos API's certificate",
    "cluster.apiServer.certSANs": "and into that of the Kubernetes API, since the endpoint is a balancer",
    "KubeAPIServerConfig.certExtraSANs": "the same, from 1.14",
    "machine.install.wipe": "the library writes an empty install section; prov leaves it out where no disk is given",
    "machine.install.grubUseUKICmdline": "the same",
    "HostnameConfig.auto": "prov names its nodes",
    "HostnameConfig.hostname": "prov names its nodes",
    "machine.network.hostname": "prov names its nodes, in 1.11 without a document",
    "cluster.network.podSubnets[0]": "the library has IPv6 networks for a bare address only, which is no "
    "endpoint; prov has them wherever the endpoint's host is one",
    "cluster.network.serviceSubnets[0]": "the same",
    "KubeNetworkConfig.podSubnets[0]": "the same, from 1.14",
    "KubeNetworkConfig.serviceSubnets[0]": "the same",
}
"""Every difference between the library's generator and ours, with its reason."""

WISHES: dict[str, tuple[str | None, str]] = {
    "in place": (None, ENDPOINT),
    "installed": ("/dev/sda", ENDPOINT),
    "on IPv6": (None, "fd00::5"),
}
"""Install disk and endpoint, by what they make of a machine."""

MODES = (
    (None, "cloud"),
    ("/dev/vda", "cloud"),
    ("/dev/vda", "metal"),
    ("/dev/disk/by-id/a", "metal"),
    (None, "container"),
)
"""Install disk and runtime mode."""

ACCEPTED = {"error": "", "warnings": []}

BOTH_FORMS: dict[str, tuple[Mapping[str, Value], Mapping[str, Value]]] = {
    "scheduling": (
        {"cluster": {"allowSchedulingOnControlPlanes": True}},
        {
            "apiVersion": "v1alpha1",
            "kind": "KubeNodeConfig",
            "taints": {"node-role.kubernetes.io/control-plane": {"$patch": "delete"}},
        },
    ),
    "labels": (
        {"machine": {"nodeLabels": {"example.org/cluster": "first"}}},
        {"apiVersion": "v1alpha1", "kind": "KubeNodeConfig", "labels": {"example.org/cluster": "first"}},
    ),
}
"""The same patch in its form of before 1.14, and as 1.14 wants it."""


@pytest.fixture(scope="session")
def bundle() -> dict[str, Value]:
    """A secrets bundle of ours, in the layout of secrets.yaml."""
    return to_tree(generate(Contract(1, 13), now=datetime.now(UTC), random=chance.token_bytes))


def _plans() -> Iterator[Any]:
    examples = ((file.parent.name, file) for file in sorted((ROOT / "examples").glob("*/cluster.yaml")))
    files = {name: folder / "cluster.yaml" for name, folder in shipped().items()} | dict(examples)
    for name, file in files.items():
        if "pools:" in file.read_text():
            yield pytest.param(file, id=name)


@pytest.mark.parametrize("file", list(_plans()))
@everywhere
def test_every_configuration_is_accepted(judge: Judge, minor: str, bundle: dict[str, Value], file: Path) -> None:
    """Decoder and validator take the configuration of every node of every shipped plan, without a warning.

    Under another release than the file's own, prov may refuse it instead: its patches are in the form of one.
    """
    own = _cluster(file)
    topology = _topology(file, minor)
    for node, (disk, mode) in product(topology.nodes, MODES):
        try:
            text = _config(topology, node.name, bundle, disk)
        except PatchError:
            assert own.talos.contract != minor
            continue
        assert judge("validate", config=text, mode=mode) == ACCEPTED, f"{node.name} in {mode} mode"


@pytest.mark.parametrize("minor", ["1.14"])
@pytest.mark.parametrize("name", BOTH_FORMS)
def test_patches_of_before_1_14_are_accepted_in_its_form(
    judge: Judge, minor: str, bundle: dict[str, Value], name: str
) -> None:
    """The configurations that 1.14 would refuse are refused by prov, before any machine hears of them."""
    topology = _topology(shipped()["ha-cluster"] / "cluster.yaml", minor)
    old, new = BOTH_FORMS[name]
    with pytest.raises(PatchError, match="in its old and in its new form"):
        _config(_patched(topology, old), "control-1", bundle, None)

    text = _config(_patched(topology, new), "control-1", bundle, None)
    assert judge("validate", config=text, mode="cloud") == ACCEPTED


@everywhere
def test_the_library_runs_the_same_versions_of_kubernetes(judge: Judge, minor: str) -> None:
    """The default for new clusters, and both ends of the window."""
    row = require(minor)
    fitting = {
        each: judge("release", talos=row.newest, kubernetes=f"1.{each}.0")["fits"]
        for each in range(row.kubernetes_min - 1, row.kubernetes_max + 2)
    }

    assert row.kubernetes == f"v{judge('release', talos=row.newest, kubernetes='1.34.0')['kubernetes']}"
    assert fitting == {each: kubernetes_fits(minor, f"v1.{each}.0") for each in fitting}
    assert list(fitting.values()).count(False) == 2


@everywhere
def test_a_broken_configuration_is_refused(judge: Judge, minor: str, bundle: dict[str, Value]) -> None:
    """The judge can say no."""
    topology = _topology(shipped()["ha-cluster"] / "cluster.yaml", minor)
    text = _config(topology, "control-1", bundle, None).replace("type: controlplane", "type: conductor")
    assert judge("validate", config=text, mode="cloud")["error"]


@everywhere
@pytest.mark.parametrize("role", ["controlplane", "worker"])
@pytest.mark.parametrize("wish", WISHES)
def test_the_generator_makes_the_same(
    judge: Judge, minor: str, bundle: dict[str, Value], role: str, wish: str
) -> None:
    """From the same secrets come the same documents in the same order, but for differences that have a reason."""
    disk, endpoint = WISHES[wish]
    topology = _topology(shipped()["ha-cluster"] / "cluster.yaml", minor)
    node = next(node for node in topology.nodes if node.role == role)
    theirs = _generated(judge, topology, bundle, disk, endpoint)[role]
    ours = decode(_config(topology, node.name, bundle, disk, endpoint))

    found = {path for path in _different(decode(theirs), ours) if path not in EXPLAINED}

    assert set() == found
    assert [_name(each) for each in decode(theirs)] == [_name(each) for each in ours]


def test_every_explanation_is_of_a_difference(judges: Callable[[str], Judge], bundle: dict[str, Value]) -> None:
    """What no longer differs needs no reason."""
    found: set[str] = set()
    for minor, endpoint in product(MINORS, (ENDPOINT, "fd00::5")):
        topology = _topology(shipped()["ha-cluster"] / "cluster.yaml", minor)
        theirs = _generated(judges(minor), topology, bundle, None, endpoint)["controlplane"]
        found |= _different(decode(theirs), decode(_config(topology, "control-1", bundle, None, endpoint)))
    assert EXPLAINED.keys() == found


@everywhere
def test_secrets_go_both_ways(judge: Judge, minor: str) -> None:
    """Its bundle is ours after a round trip, and it reads ours, made for the same release."""
    theirs = freeze(yaml.safe_load(judge("secrets", contract=f"v{minor}")["secrets"]))
    ours = to_tree(generate(Contract.parse(minor), now=datetime.now(UTC), random=chance.token_bytes))
    wishes = {"cluster": "a", "endpoint": "https://10.0.0.5:6443", "kubernetes": "1.34.1"}
    read = judge("generate", contract=f"v{minor}", secrets=yaml.safe_dump(reveal(ours)), **wishes)

    assert isinstance(theirs, dict)
    assert reveal(to_tree(from_tree(theirs))) == reveal(theirs)
    assert _shape(theirs) == _shape(ours)
    assert "error" not in read


@everywhere
@pytest.mark.parametrize("role", ["controlplane", "worker"])
def test_what_the_library_hides_is_secret(judge: Judge, minor: str, bundle: dict[str, Value], role: str) -> None:
    """In what prov generates; prov hides more."""
    topology = _topology(shipped()["ha-cluster"] / "cluster.yaml", minor)
    name = next(node.name for node in topology.nodes if node.role == role)
    text = _config(topology, name, bundle, "/dev/vda")
    theirs = decode(judge("redact", config=text)["config"])

    hidden = {path for path, leaf in leaves(theirs) if leaf in ("REDACTED", "UkVEQUNURUQ=")}
    secret = {path for path, leaf in leaves(mark_secrets(decode(text))) if isinstance(leaf, Secret)}

    assert hidden
    assert hidden - secret == set()


@everywhere
def test_a_bundle_with_a_flaw_is_refused(judge: Judge, minor: str, bundle: dict[str, Value]) -> None:
    """The judge looks into a bundle before it generates from it."""
    text = yaml.safe_dump(reveal(bundle) | {"trustdinfo": {"token": ""}})
    assert judge("generate", contract=f"v{minor}", secrets=text, cluster="a")["error"]


def _cluster(file: Path) -> Topology:
    """The cluster of a file; what it takes from the environment is there."""
    environ = dict.fromkeys(re.findall(r"\benv\.(\w+)", file.read_text()), "given")
    topology, _ = topology_of(load(file, variables={}, environ=environ), {})
    return topology


def _topology(file: Path, minor: str) -> Topology:
    """The cluster of a file, as it is with another minor release of Talos."""
    topology = _cluster(file)
    row = require(minor)
    talos = evolve(topology.talos, version=row.newest, contract=minor, kubernetes=row.kubernetes)
    return evolve(topology, talos=talos)


def _patched(topology: Topology, patch: Mapping[str, Value]) -> Topology:
    """The topology with this patch only, for control planes."""
    nodes = (evolve(node, patches=((patch,),) if node.role == "controlplane" else ()) for node in topology.nodes)
    return evolve(topology, nodes=tuple(nodes))


def _config(
    topology: Topology, name: str, bundle: dict[str, Value], disk: str | None, endpoint: str = ENDPOINT
) -> str:
    node = next(node for node in topology.nodes if node.name == name)
    made = documents(node, topology, endpoint=endpoint, install_disk=disk, secrets=lambda path: dig(bundle, path))
    return encode(reveal(evaluate(made, lambda ref: Unknown(str(ref)), FUNCTIONS)))


def _generated(
    judge: Judge, topology: Topology, bundle: dict[str, Value], disk: str | None, endpoint: str
) -> dict[str, str]:
    """What the library makes of the same input."""
    return judge(
        "generate",
        contract=f"v{topology.talos.contract}",
        secrets=yaml.safe_dump(reveal(bundle)),
        cluster=topology.cluster,
        endpoint=url(endpoint),
        kubernetes=topology.talos.kubernetes.removeprefix("v"),
        disk=disk or "",
        image=installer_image(topology.talos, "metal") if disk else "",
    )


def _different(theirs: Documents, ours: Documents) -> set[str]:
    """The paths in which they differ, such as `KubeletConfig.image`, whatever the order of documents."""
    both = ({_name(each): each for each in documents} for documents in (theirs, ours))
    return {_path(change.path) for change in differences(*both)}


def _name(document: Mapping[str, Value]) -> str:
    """Kind and name; nothing for the root document."""
    return " ".join(str(document[key]) for key in ("kind", "name") if key in document)


def _path(path: ValuePath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _shape(value: Value) -> Any:
    return {key: _shape(item) for key, item in value.items()} if isinstance(value, dict) else ""
