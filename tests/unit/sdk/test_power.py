"""Which changes in place stop a machine that runs."""

from __future__ import annotations

import pytest

from provisioner.sdk import ABSENT, Address, FieldChange, Origin, Sourced, Unknown, Update, Value, stops_it

OFF = Sourced("off", Origin("cluster.yaml", 3))


def update(*changes: tuple[str, Value, Value], **wanted: Value) -> Update:
    told = tuple(FieldChange((name,), before, after) for name, before, after in changes)
    return Update(address=Address("toy.thing", "a"), provider="toy", wanted=wanted, changes=told)


@pytest.mark.parametrize(
    ("change", "stops"),
    [
        (update(("cpus", 2, 4)), True),
        (update(("cpus", 2, 4), power="on"), True),
        (update(("cpus", 2, Unknown())), True),
        (update(("tags", ABSENT, "x"), power="on"), False),
        (update(power="on"), False),
        (update(("power", "on", "off"), power="off"), True),
        (update(("power", "on", "off"), ("cpus", 2, 4), power="off"), True),
        (update(("power", "off", "on"), power="on"), False),
        (update(("power", "halted", "on"), power="on"), False),
        (update(("power", "off", "on"), ("cpus", 2, 4), power="on"), False),
        (update(("cpus", 2, 4), power=OFF), False),
    ],
)
def test_what_runs_is_stopped_by_a_change_that_takes_a_stop_and_what_stands_still_is_not(
    change: Update, stops: bool
) -> None:
    assert stops_it(change, "cpus") is stops
