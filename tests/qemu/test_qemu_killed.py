"""prov killed at every step of making and removing a virtual machine: none is left over, none is there twice.

The machines are real, with an empty disk: qemu and its firmware run, and nothing boots.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes.yard import Yard

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(900)]

KINDS = ("network", "address", "disk", "machine")
FILE = {
    "version": 1,
    "name": "bare",
    "providers": {"qemu": {"accelerator": "tcg"}},
    "resources": {
        "net": {"kind": "qemu.network", "provider": "qemu", "props": {"cluster": "bare", "name": "net"}},
        "place": {
            "kind": "qemu.address",
            "provider": "qemu",
            "props": {"cluster": "bare", "name": "one", "network": "${resources.net.name}"},
        },
        "disk": {
            "kind": "qemu.disk",
            "provider": "qemu",
            "props": {"cluster": "bare", "name": "one", "size_gib": 1},
        },
        "one": {
            "kind": "qemu.machine",
            "provider": "qemu",
            "props": {
                "cluster": "bare",
                "name": "one",
                "address": "one",
                "ip": "${resources.place.ip}",
                "host": "${resources.place.host}",
                "cpus": 1,
                "memory_mib": 128,
                "disks": ["${resources.disk.path}"],
                "user_data": "machine: {}",
                "accelerator": "tcg",
            },
        },
    },
}


STEPS = (
    *("change record", "change make", "change put-down", "change deliver", "change write-down"),
    *("change start", "change kill", "change remove "),
)


def chosen(points: list[str]) -> list[str]:
    """Every step that leaves something on this computer, and every answer about the machine and its network.

    What lies between two steps is the same for whoever comes next, so of most steps the moment before is enough.
    """
    steps = [point for point in points if point.startswith(STEPS)]
    begun = [point for point in steps if " before " in point]
    done = [point for point in steps if point.startswith(("change write-down", "change remove "))]
    files = [point for point in points if "remove-file machine - after:done" in point]
    answers = [point for point in points if " qemu.machine/one - after:" in point and " read " not in point]
    answers = [point for point in answers if "commit" not in point]
    return [point for point in points if point in {*begun, *done, *answers, *files[:1], *files[-1:]}]


def everything(yard: Yard) -> dict[str, list[str]]:
    return {kind: yard.records(kind) for kind in KINDS}


THERE = {"network": ["net"], "address": ["one"], "disk": ["one"], "machine": ["one"]}
NOTHING: dict[str, list[str]] = {kind: [] for kind in KINDS}


def test_a_run_killed_anywhere_is_finished_by_the_next(yard: Callable[..., Yard]) -> None:
    """After each kill there are as many processes as records say at most, and the next run brings one machine."""
    one = yard()
    one.write(FILE)
    making = chosen(one.points("apply", "--yes"))
    removing = chosen(one.points("destroy", "--yes"))
    assert len(making) > 10
    assert len(removing) > 10
    assert (everything(one), one.processes()) == (NOTHING, {})

    missed = []
    for number in range(max(len(making), len(removing))):
        point = making[number % len(making)]
        missed += [point] if not one.killed(point, "apply", "--yes") else []
        left = sorted(one.processes().values())
        assert len(left) == len(set(left)), f"{point}: {left}"
        assert set(left) <= {"switch", "one", "/usr/bin/qemu-img"}
        one.prov("apply", "--yes")
        assert everything(one) == THERE, point
        assert sorted(one.processes().values()) == ["one", "switch"], point

        point = removing[number % len(removing)]
        missed += [point] if not one.killed(point, "destroy", "--yes") else []
        assert len(one.processes()) <= 2, point
        one.prov("destroy", "--yes")
        assert (everything(one), one.processes()) == (NOTHING, {}), point
    assert len(missed) < len(making) // 3, f"not passed again: {missed}"
