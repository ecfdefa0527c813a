"""The simulated machines, held to what the library of each release decodes and refuses."""

from __future__ import annotations

import copy
import secrets as chance
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from prov_sim.machine.documents import BadConfig
from prov_sim.machine.kinds import kinds_of
from prov_sim.machine.release import Release
from prov_sim.machine.rules import accept

from provisioner.model.functions import CORE
from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.model.value import Unknown, dig, evaluate, reveal
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.encode import encode
from provisioner.talos.pki.bundle import generate, to_tree
from provisioner.talos.provider import provider as talos
from provisioner.talos.support import require
from provisioner.talos.versions import Contract

Judge = Callable[..., dict[str, Any]]
Tree = dict[str, Any]

MINORS = (11, 12, 13, 14)
releases = pytest.mark.parametrize("minor", [f"1.{minor}" for minor in MINORS])

LEGACY = (
    "machine.kubelet",
    "machine.install",
    "machine.nodeLabels",
    "machine.features.kubePrism",
    "machine.features.hostDNS",
    "cluster.id",
    "cluster.secret",
    "cluster.controlPlane",
    "cluster.clusterName",
    "cluster.network",
    "cluster.secretboxEncryptionSecret",
    "cluster.ca",
    "cluster.aggregatorCA",
    "cluster.serviceAccount",
    "cluster.apiServer",
    "cluster.controllerManager",
    "cluster.proxy",
    "cluster.scheduler",
    "cluster.discovery",
)
"""What Talos 1.13 is told in the root document, and 1.14 in documents that rule it out there."""


@pytest.fixture(scope="module")
def made() -> Callable[[str, str], list[Tree]]:
    """Configurations of prov in plain Python, for a release and a role."""
    bundle = to_tree(generate(Contract(1, 14), now=datetime.now(UTC), random=chance.token_bytes))

    def of(minor: str, role: Any) -> list[Tree]:
        row = require(minor)
        node = Node(name="a", role=role, pool="a", provider="sim")
        wish = TalosWish(version=row.newest, contract=minor, kubernetes=row.kubernetes)
        topology = Topology("demo", (node,), EndpointWish(), wish)
        trees = documents(
            node, topology, endpoint="10.0.0.5", install_disk="/dev/vda", secrets=lambda path: dig(bundle, path)
        )
        functions = {**CORE, **talos.functions}
        plain = [reveal(evaluate(each, lambda ref: Unknown(), functions)) for each in trees]
        return copy.deepcopy(plain)

    return of


@releases
def test_it_knows_the_same_kinds_with_the_same_keys(judge: Judge, minor: str) -> None:
    """For each kind that any release knows, and each key at its top."""
    number = int(minor.partition(".")[2])
    known = kinds_of(number)
    for kind, keys in kinds_of(MINORS[-1]).items():
        for key in (keys | {"surelyUnknown"}) - {"apiVersion", "kind"}:
            text = f"apiVersion: v1alpha1\nkind: {kind}\n{key}: null\n"
            said = judge("encode", config=text).get("error", "")
            decoded = "unknown keys" not in said and "not registered" not in said
            assert decoded is (key in known.get(kind, ())), f"{kind}.{key}"


@releases
@pytest.mark.parametrize("role", ["controlplane", "worker"])
def test_it_takes_what_the_library_takes(
    judge: Judge, made: Callable[[str, str], list[Tree]], minor: str, role: str
) -> None:
    text = encode(made(minor, role))
    assert judge("validate", config=text, mode="metal")["error"] == ""
    accept(text.encode(), mode="metal", installed=False, release=Release.of(require(minor).newest))


@pytest.mark.parametrize("minor", ["1.14"])
@pytest.mark.parametrize("place", LEGACY)
def test_it_refuses_what_is_said_twice(
    judge: Judge, made: Callable[[str, str], list[Tree]], minor: str, place: str
) -> None:
    older, newer = made("1.13", "controlplane"), made(minor, "controlplane")
    *above, last = place.split(".")
    target: Any = newer[0]
    for part in above:
        target = target[part]
    target[last] = dig(older[0], place)
    text = encode(newer)

    assert judge("validate", config=text, mode="metal")["error"]
    with pytest.raises(BadConfig, match="already set in v1alpha1 config"):
        accept(text.encode(), mode="metal", installed=False, release=Release(14))
