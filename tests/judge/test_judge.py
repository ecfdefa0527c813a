"""What prov makes, before Talos's own configuration library (`make judge`; needs Go, which is a judge only).

The library of each minor release decodes and validates our configurations, makes the same ones from the same
secrets, merges the same patches, and reads our secrets bundle as we read its.
"""

from __future__ import annotations

import secrets as chance
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve

from provisioner.blueprints.find import shipped
from provisioner.cluster.topology import topology_of
from provisioner.model.functions import CORE
from provisioner.model.topology import Topology
from provisioner.model.value import Unknown, Value, dig, evaluate, freeze, reveal
from provisioner.planner.compare import differences
from provisioner.spec.load import load
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.encode import decode, encode
from provisioner.talos.pki.bundle import from_tree, generate, to_tree
from provisioner.talos.support import require, support_for
from provisioner.talos.versions import Contract

ROOT = Path(__file__).parents[2]
ENDPOINT = "10.0.0.5"
CASES = ROOT / "tests/cases/patch"
Judge = Callable[..., dict[str, Any]]

MINORS = ("1.11", "1.12", "1.13", "1.14")
NEWEST = "1.13"
everywhere = pytest.mark.parametrize("minor", MINORS)
generated = pytest.mark.parametrize("minor", [minor for minor in MINORS if support_for(minor)])

EXPLAINED = {
    "machine.certSANs[0]": "prov puts the endpoint's host into the Talos API's certificate",
    "cluster.apiServer.certSANs": "and into that of the Kubernetes API, since the endpoint is a balancer",
    "machine.install.wipe": "the library writes an empty install section; prov leaves it out where no disk is given",
    "machine.install.grubUseUKICmdline": "the same",
    "HostnameConfig.auto": "prov names its nodes",
    "HostnameConfig.hostname": "prov names its nodes",
}
"""Every difference between the library's generator and ours, with its reason."""


DIFFERENT = {
    "a field of a document that is not there goes quietly": "the library crashes",
    "a directive with other keys beside it is refused": "the library ignores the other keys, which nobody can mean",
    "a document deletion with content beside it is refused": "the same",
    "a name that is no text is refused": "the library writes the number as text",
    "a document of an unknown kind is appended": "prov passes through what this release of Talos does not know",
    "unknown keys pass through": "the same",
}
"""Patch cases in which prov is unlike the library on purpose, with the reason."""


@pytest.fixture(scope="session")
def bundle() -> dict[str, Value]:
    """A secrets bundle of ours, in the layout of secrets.yaml."""
    return to_tree(generate(Contract(1, 13), now=datetime.now(UTC), random=chance.token_bytes))


def _plans() -> Iterator[Any]:
    files = {name: folder / "cluster.yaml" for name, folder in shipped().items()}
    files |= {name: ROOT / "examples" / name / "cluster.yaml" for name in ("first-cluster", "static-network")}
    for name, file in files.items():
        yield pytest.param(file, id=name)


@generated
@pytest.mark.parametrize("file", list(_plans()))
def test_every_configuration_is_accepted(judge: Judge, minor: str, bundle: dict[str, Value], file: Path) -> None:
    """Decoder and validator take the configuration of every node of every shipped plan, without a warning."""
    topology = _topology(file, minor)
    for node in topology.nodes:
        for disk, mode in ((None, "cloud"), ("/dev/vda", "cloud"), ("/dev/vda", "metal"), (None, "container")):
            verdict = judge("validate", config=_config(topology, node.name, bundle, disk), mode=mode)
            assert verdict == {"error": "", "warnings": []}, f"{node.name} in {mode} mode"


@generated
def test_a_broken_configuration_is_refused(judge: Judge, minor: str, bundle: dict[str, Value]) -> None:
    """The judge can say no."""
    topology = _topology(shipped()["single-node"] / "cluster.yaml", minor)
    text = _config(topology, "control-1", bundle, None).replace("type: controlplane", "type: conductor")
    assert judge("validate", config=text, mode="cloud")["error"]


@generated
@pytest.mark.parametrize("role", ["controlplane", "worker"])
def test_the_generator_makes_the_same(judge: Judge, minor: str, bundle: dict[str, Value], role: str) -> None:
    """From the same secrets come the same documents, but for differences that have a reason."""
    topology = _topology(shipped()["ha-cluster"] / "cluster.yaml", minor)
    node = next(node for node in topology.nodes if node.role == role)
    theirs = judge(
        "generate",
        contract=f"v{minor}",
        secrets=yaml.safe_dump(reveal(bundle)),
        cluster=topology.cluster,
        endpoint=f"https://{ENDPOINT}:6443",
        kubernetes=topology.talos.kubernetes.removeprefix("v"),
    )
    ours = decode(_config(topology, node.name, bundle, None))

    found = {_named(change.path) for change in differences(decode(theirs[role]), ours)}

    assert found <= EXPLAINED.keys()


def _merges() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text()):
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


@pytest.mark.parametrize("minor", [NEWEST])
@pytest.mark.parametrize("case", list(_merges()))
def test_patches_merge_alike(judge: Judge, case: dict[str, str]) -> None:
    """The library merges the same patch into the same base with the same result, or refuses it as we do."""
    assert _alike(judge, case) is (case["name"] not in DIFFERENT)


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
def test_a_bundle_with_a_flaw_is_refused(judge: Judge, minor: str, bundle: dict[str, Value]) -> None:
    """The judge looks into a bundle before it generates from it."""
    text = yaml.safe_dump(reveal(bundle) | {"trustdinfo": {"token": ""}})
    assert judge("generate", contract=f"v{minor}", secrets=text, cluster="a")["error"]


def _topology(file: Path, minor: str) -> Topology:
    """The cluster of a file, as it is with another minor release of Talos."""
    topology, _ = topology_of(load(file, variables={}, environ={}), {})
    row = require(minor)
    talos = evolve(topology.talos, version=row.newest, contract=minor, kubernetes=row.kubernetes)
    return evolve(topology, talos=talos)


def _config(topology: Topology, name: str, bundle: dict[str, Value], disk: str | None) -> str:
    node = next(node for node in topology.nodes if node.name == name)
    made = documents(node, topology, endpoint=ENDPOINT, install_disk=disk, secrets=lambda path: dig(bundle, path))
    return encode(reveal(evaluate(made, lambda ref: Unknown(str(ref)), CORE)))


def _alike(judge: Judge, case: dict[str, str]) -> bool:
    theirs = judge("merge", base=case["base"], patch=case["patch"])
    if "error" in case:
        return "error" in theirs
    ours = judge("encode", config=case["expected"])
    if "error" in theirs or "error" in ours:
        return False
    # Where a document was deleted the library leaves an empty one behind.
    return [each for each in decode(theirs["config"]) if each] == [each for each in decode(ours["config"]) if each]


def _named(path: tuple[str | int, ...]) -> str:
    """`machine.certSANs[0]`, with the second document under its kind."""
    first, *rest = path
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
    return (text if first == 0 else f"HostnameConfig{text}").removeprefix(".")


def _shape(value: Value) -> Any:
    return {key: _shape(item) for key, item in value.items()} if isinstance(value, dict) else ""
