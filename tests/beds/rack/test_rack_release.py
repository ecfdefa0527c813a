"""Hosts given back to the rack: off, empty, and the disks that their rows name erased before that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from beds.rack.operator import Operator, cluster
from beds.rack.rack import Rack

from provisioner.state.sqlite_store import SqliteStore

WIPE = ["/dev/sda", "/dev/sdb"]


@pytest.fixture
def operator(tmp_path: Path, age_key: Path) -> Iterator[Operator]:
    """At a rack of two, whose servers have a second disk."""
    operator = Operator(tmp_path, age_key)
    with Rack(2, tmp_path, clock=operator.clock) as rack:
        rack.site.extra_disks = ("/dev/sdb",)
        operator.rack = rack
        yield operator


def document(rack: Rack, workers: int, wipe: list[str] = WIPE) -> dict[str, Any]:
    made = cluster(rack, 1, workers)
    for row in made["providers"]["metal"]["inventory"].values():
        row["wipe"] = wipe
    return made


def erased(rack: Rack) -> list[tuple[str, str, int]]:
    return [(name, disk, times) for (name, _, disk), times in sorted(rack.site.world.erasures.items())]


def history(operator: Operator) -> str:
    """What the last run says of itself."""
    store = SqliteStore(operator.folder / ".prov/rack.db", "rack", lambda: None)
    try:
        return store.runs()[0].summary
    finally:
        store.close()


def test_a_host_is_left_alone_until_it_has_switched_itself_off(operator: Operator) -> None:
    """Then it is free; nobody pressed its switch, each disk was erased once, and the history of runs has it."""
    rack = operator.rack
    operator.write(document(rack, 1))
    assert operator.apply().complete
    worker = [*rack.servers.values()][1]
    worker.log.clear()
    operator.write(document(rack, 0))
    ran = operator.apply()

    assert ran.complete, ran.text
    assert [entry.text for entry in worker.log] == ["the system powered off"]
    assert (worker.power, worker.inserted, worker.installed) == (False, None, None)
    assert erased(rack) == [(worker.plate.name, disk, 1) for disk in WIPE]
    assert f"/dev/sdb (Simulated disk, serial m-{worker.plate.uuid}-sdb, 54 GB): agreed to erase" in history(operator)
    assert "metal.host/workers-1: /dev/sda, /dev/sdb: the host" in history(operator)


def test_a_host_that_does_not_come_to_an_end_is_not_taken_for_erased(operator: Operator) -> None:
    """It stays on, and a person is told; with the word it is switched off as it is, which the history says."""
    rack = operator.rack
    operator.write(document(rack, 1))
    assert operator.apply().complete
    worker = [*rack.servers.values()][1]
    machine = rack.site.machine(worker.plate.name)
    assert machine is not None
    machine.hangs = True
    operator.write(document(rack, 0))
    stuck = operator.apply()

    (failure,) = stuck.failures
    assert failure.summary == "a host that is to erase its disks does not switch itself off"
    assert f"{worker.plate.name}: /dev/sda, /dev/sdb: it is still on" in failure.detail
    assert worker.power
    given_up = operator.apply(allow="unwiped")
    assert given_up.complete, given_up.text
    assert not worker.power
    assert "is switched off as it is" in history(operator)


def test_without_disks_to_erase_a_host_that_hangs_is_switched_off_after_a_while(operator: Operator) -> None:
    rack = operator.rack
    operator.write(document(rack, 1, []))
    assert operator.apply().complete
    worker = [*rack.servers.values()][1]
    machine = rack.site.machine(worker.plate.name)
    assert machine is not None
    machine.hangs = True
    worker.log.clear()
    operator.write(document(rack, 0, []))
    ran = operator.apply()

    assert ran.complete, ran.text
    assert [entry.text for entry in worker.log] == ["the system was powered off"]
    assert "/dev/" not in history(operator)
