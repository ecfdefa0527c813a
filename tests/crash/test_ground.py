"""The ground sees what it is there to see: an orphan, a thing on record that is gone, secrets that are new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crash.ground import Broken, Ground
from crash.matrix import fresh_ground
from crash.run import KILLED
from crash.scenarios import SMALL
from prov_sim.control import Control
from prov_sim.place import place_of

pytestmark = pytest.mark.crash

FIRST = SMALL.scenarios[0]


@pytest.fixture
def ground() -> Iterator[Ground]:
    """A laboratory in which a small cluster stands."""
    with fresh_ground() as ground:
        ground.reach(FIRST.then)
        yield ground


def test_an_orphan_is_found(ground: Ground) -> None:
    """A balancer that no state knows, right after a kill and at the end."""
    control = Control(place_of("default", ground.lab.environ))
    control.ask("create_balancer", key="nobody's", lineage="none", name="api", group="other")

    with pytest.raises(Broken, match="orphans right after the kill"):
        ground.check_interrupted(None)
    with pytest.raises(Broken, match="objects by key and id"):
        ground.check()


def test_what_is_on_record_and_gone_is_found(ground: Ground) -> None:
    """A machine that somebody else took away."""
    ground.lab.prov("sim", "fault", "vanish", "workers-1")

    with pytest.raises(Broken, match="objects by key and id"):
        ground.check()


def test_other_secrets_are_found(ground: Ground) -> None:
    """The secrets that were on record are not those that are."""
    with pytest.raises(Broken, match="other secrets"):
        ground.check_interrupted({"cluster": "had others"})


def test_a_run_dies_exactly_where_it_is_told_to(ground: Ground) -> None:
    """Before a commit of the intent nothing is on record; after it the entry is there, and no machine yet."""
    point = "commit Put:creating sim.machine/control-1 -"
    ground.reach(None)
    assert FIRST.to is not None
    ground.lab.write(dict(FIRST.to.document))
    for side, known in (("before", False), ("after:int", True)):
        ended = ground.runner.run("apply", "--yes", PROV_CRASH_AT=f"{point} {side} 1")

        state = ground.state()
        assert ended.code == KILLED
        assert state is not None
        assert ("sim.machine/control-1" in map(str, state.entries)) is known
        assert ground.world()["machines"] == []
        ground.lab.prov("destroy", "--yes")
