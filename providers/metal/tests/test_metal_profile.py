"""DMTF's form of what prov needs of a BMC names what the driver uses, neither more nor less."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from beds.bmc import habits
from beds.bmc.bed import BmcBed
from beds.bmc.exchange import Answer, Asked, Pass
from beds.bmc.logs import Logs
from beds.bmc.register import Register
from beds.bmc.service import Sessions
from beds.bmc.watched import WatchedLine
from prov_metal.bmc.redfish import RedfishBmc

Ask = Callable[..., tuple[BmcBed, RedfishBmc]]
PROFILE = json.loads(
    (Path(__file__).parents[3] / "docs" / "reference" / "prov-bmc.v1_0_0.json").read_text(encoding="utf-8")
)
ENTRY = {"Created": "2026-01-01T00:00Z", "MessageId": "Base.1.0.Success"}


@pytest.fixture
def used(ask: Ask, disc: str) -> WatchedLine:
    """A whole life of a host, and everything that the driver can do besides."""
    bare = (Logs("SEL", (ENTRY, {}), links=True), _bare_slot, _secure_boot)
    _, bmc = ask(Sessions(), habits.Power(), Register(falls_back=True), *bare)
    line = WatchedLine(bmc.wire._session.line)
    bmc.wire._session.line = line  # type: ignore[assignment]
    bmc.facts()
    bmc.media()
    bmc.insert(disc)
    for source in ("cd", "network", "http"):
        bmc.boot_from(source, disc if source == "http" else "")  # type: ignore[arg-type]
    for on in (True, False):
        bmc.switch(on=on)
    bmc.next_boot()
    bmc.boot_from("disk")
    bmc.eject()
    bmc.events()
    return line


def _bare_slot(asked: Asked, on: Pass) -> Answer:
    """An empty slot that does not say `Inserted`, but how it is connected, as some are."""
    answer = on(asked)
    if isinstance(answer.body, dict) and "MediaTypes" in answer.body and not answer.body["Inserted"]:
        rest = {name: value for name, value in answer.body.items() if name != "Inserted"}
        return evolve(answer, body={**rest, "Image": "http://10.0.0.1/old.iso", "ConnectedVia": "NotConnected"})
    return answer


def _secure_boot(asked: Asked, on: Pass) -> Answer:
    """What the emulator has for real machines only."""
    if asked.path.endswith("/SecureBoot"):
        return Answer(200, {"@odata.type": "#SecureBoot.v1_1_0.SecureBoot", "SecureBootCurrentBoot": "Disabled"})
    return on(asked)


def test_the_profile_names_what_the_driver_reads(used: WatchedLine) -> None:
    named = {kind: set(_read(of.get("PropertyRequirements", {}))) for kind, of in PROFILE["Resources"].items()}
    read = {kind: {_plain(name) for name in names - _above(names)} - {""} for kind, names in used.reads.items()}
    assert {kind: sorted(names - _above(names)) for kind, names in named.items()} == {
        kind: sorted(names) for kind, names in read.items()
    }


def test_the_profile_names_what_the_driver_writes(used: WatchedLine) -> None:
    named = {
        kind: sorted(_written(of.get("PropertyRequirements", {})))
        for kind, of in PROFILE["Resources"].items()
        if list(_written(of.get("PropertyRequirements", {})))
    }
    assert named == {kind: sorted(names) for kind, names in used.writes.items()}


def test_the_profile_names_what_the_driver_has_done(used: WatchedLine) -> None:
    named = {
        f"{kind}.{action}": sorted(needs.get("Parameters", {}))
        for kind, of in PROFILE["Resources"].items()
        for action, needs in of.get("ActionRequirements", {}).items()
    }
    assert named == {action: sorted(names) for action, names in used.acts.items()}


def _plain(name: str) -> str:
    """A property of the resource itself: actions are named apart, and members are resources of their own."""
    return "" if name.startswith("Actions") else "Members" if name.startswith("Members.") else name


def _read(properties: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, needs in properties.items():
        yield above + name
        yield from _read(needs.get("PropertyRequirements", {}), f"{above}{name}.")


def _written(properties: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, needs in properties.items():
        if "WriteRequirement" in needs:
            yield above + name
        yield from _written(needs.get("PropertyRequirements", {}), f"{above}{name}.")


def _above(names: set[str]) -> set[str]:
    """Names that others lie within: these say it already."""
    return {name for name in names if any(other.startswith(f"{name}.") for other in names)}
