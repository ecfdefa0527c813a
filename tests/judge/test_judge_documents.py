"""What settings become, before Talos's own configuration library of each minor release.

The whole configuration of a node with the settings of a case must be accepted; what prov says a release cannot be
told, the library refuses, too.
"""

from __future__ import annotations

import random
import secrets as chance
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from fakes.settings_cases import MINORS, NAMES, case, limits, mixed, without

from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.model.value import Unknown, Value, dig, evaluate, reveal
from provisioner.sdk import Path
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.encode import encode
from provisioner.talos.config.settings import MACHINE_SETTINGS, Area
from provisioner.talos.pki.bundle import generate, to_tree
from provisioner.talos.provider import TalosProvider
from provisioner.talos.support import require
from provisioner.talos.versions import Contract

Judge = Callable[..., dict[str, Any]]
Judges = Callable[[str], Judge]
Role = Literal["controlplane", "worker"]


@pytest.fixture(scope="session")
def bundle() -> dict[str, Value]:
    """A secrets bundle of ours."""
    return to_tree(generate(Contract(1, 13), now=datetime.now(UTC), random=chance.token_bytes))


def _expressible() -> Iterator[Any]:
    """Every case with every release that can be told what it says."""
    for name in NAMES:
        for minor in MINORS:
            if not limits(name, Contract.parse(minor)):
                yield pytest.param(name, minor, id=f"{name}-{minor}")


@pytest.mark.parametrize(("name", "minor"), list(_expressible()))
def test_settings_are_accepted(judge: Judge, minor: str, bundle: dict[str, Value], name: str) -> None:
    """On both roles, installed on metal and booting in place in a cloud, without a warning."""
    area, settings = case(name)
    for role in ("controlplane", "worker"):
        for mode, disk in (("metal", "/dev/sda"), ("cloud", None)):
            config = _config(area, settings, minor, role, disk, bundle)
            verdict = judge("validate", config=config, mode=mode)
            assert verdict == {"error": "", "warnings": []}, f"{role} in {mode} mode\n{config}"


def _inexpressible() -> Iterator[Any]:
    """Every case without all but one of the parts that a release cannot be told."""
    for name in NAMES:
        for minor in MINORS:
            paths = [limit.path for limit in limits(name, Contract.parse(minor))]
            for path in paths:
                others = tuple(other for other in paths if other != path)
                yield pytest.param(name, minor, path, others, id=f"{name}-{minor}-{'.'.join(map(str, path))}")


@pytest.mark.parametrize(("name", "minor", "path", "others"), list(_inexpressible()))
def test_what_a_release_cannot_be_told_it_refuses(
    judge: Judge, minor: str, bundle: dict[str, Value], name: str, path: Path, others: tuple[Path, ...]
) -> None:
    """Written all the same, it is refused; where the form of the release has no place for it, it would be lost."""
    area, settings = case(name)
    for other in others:
        settings = without(settings, other)
    told = _config(area, settings, minor, "controlplane", "/dev/sda", bundle)
    untold = _config(area, without(settings, path), minor, "controlplane", "/dev/sda", bundle)

    lost = told == untold
    assert lost or judge("validate", config=told, mode="metal")["error"]


@pytest.mark.parametrize("seed", range(60))
def test_what_prov_takes_the_releases_take(judges: Judges, bundle: dict[str, Value], seed: int) -> None:
    """Parts of several cases thrown together: what then has no problem is accepted by every release it is for.

    Not looked at are the insides of certificates and the types in expressions, which stay as they are here.
    """
    area, settings = mixed(random.Random(seed))
    for minor in MINORS if settings is not None else ():
        if not any(area.limits(settings, Contract.parse(minor))):
            verdict = judges(minor)(
                "validate", config=_config(area, settings, minor, "controlplane", "/dev/sda", bundle), mode="metal"
            )
            assert verdict["error"] == "", minor


def _config(
    area: Area, settings: Mapping[str, Value], minor: str, role: Role, disk: str | None, bundle: dict[str, Value]
) -> str:
    row = require(minor)
    talos = TalosWish(row.newest, minor, row.kubernetes)
    own = area.for_role(settings, leads=role == "controlplane")
    machine, kubernetes = (own, {}) if area is MACHINE_SETTINGS else ({}, own)
    node = Node("a-1", role, "a", "sim", settings=machine)
    topology = Topology("demo", (node,), EndpointWish(), talos, kubernetes)
    made = documents(node, topology, endpoint="10.0.0.5", install_disk=disk, secrets=lambda leaf: dig(bundle, leaf))
    return encode(reveal(evaluate(made, lambda ref: Unknown(str(ref)), TalosProvider.functions)))
