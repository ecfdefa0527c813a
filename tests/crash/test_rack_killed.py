"""SIGKILL in the middle of calls to a BMC and between phases: the disk is written once, whatever happens.

`make crash-rack` kills at every kind of point there is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crash.rack_ground import Point, RackGround
from crash.rack_matrix import fresh_rack, killed

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]
LIVES = (
    (True, Point(number=2, side="after"), Point("commit Put:deleting metal.host/control-1 - after:int 1")),
    (False, Point(number=4, side="after"), Point("apply delete:release metal.host/control-1 - before 1")),
    (
        False,
        Point("commit Put:creating metal.host/control-1 armed before 1"),
        Point("commit Drop metal.host/control-1 - before 1"),
    ),
    (
        True,
        Point("apply create metal.host/control-1 booting before 1"),
        Point("commit Drop metal.host/control-1 - after:int 1"),
    ),
)
"""Whether the server comes back from its installation, where its apply is killed, and where its destroy is.

The disc is in and nobody has written it down; the power is on, the same; it may boot from the disc, and nobody knows
whether it has; it installs itself.
"""


@pytest.fixture
def ground() -> Iterator[RackGround]:
    """A fresh rack."""
    with fresh_rack() as ground:
        yield ground


def test_killed_on_the_way_to_a_node_and_back(ground: RackGround) -> None:
    """Each life ends with one installation, a node that runs from its disk, and then a server that is free."""
    for returns, made, gone in LIVES:
        assert killed(ground, made, gone, returns=returns) == (True, True), f"{made} / {gone}"
