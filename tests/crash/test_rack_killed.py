"""SIGKILL in the middle of calls to a BMC and between phases: the disk is written once, whatever happens.

`make crash-rack` kills at every kind of point there is.
"""

from __future__ import annotations

import pytest
from attrs import evolve
from crash.rack_courses import COURSES, Course
from crash.rack_ground import Point
from crash.rack_matrix import fresh_rack, killed

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]
_REFUSES = COURSES["media refused, then http"]
LIVES = (
    (
        COURSES["comes back"],
        (Point(number=2, side="after"), Point("commit Put:deleting metal.host/control-1 - after:int 1")),
        (
            Point("apply create metal.host/control-1 booting before 1"),
            Point("commit Drop metal.host/control-1 - after:int 1"),
        ),
    ),
    (
        COURSES["stays off"],
        (Point(number=4, side="after"), Point("apply delete:release metal.host/control-1 - before 1")),
        (
            Point("commit Put:creating metal.host/control-1 armed before 1"),
            Point("commit Drop metal.host/control-1 - before 1"),
        ),
    ),
    (COURSES["ipmi"], (Point(number=4, side="before"), Point("request talos.reset control-1 - after:done 1"))),
    (
        evolve(_REFUSES, name="refuses", wipe=("/dev/sda",), trouble=evolve(_REFUSES.trouble, erases_s=90.0)),
        (
            Point("commit Put:creating metal.host/control-1 stopping after:int 2"),
            Point("commit Put:deleting metal.host/control-1 waiting after:int 1"),
        ),
    ),
)
"""What becomes of a server, and for each of its lives where its apply is killed, and where its destroy is.

The disc is in and nobody has written it down; it installs itself. The power is on, and nobody has written that down;
it may boot from the disc, the same. It shall boot from the network, and one of the three commands that say so is
missing; its node was told to reset itself. It is to be booted by the next way; it erases its disk.
"""
NAMES = [course.name for course, *_ in LIVES]


@pytest.mark.parametrize(("course", "lives"), [(course, lives) for course, *lives in LIVES], ids=NAMES)
def test_killed_on_the_way_to_a_node_and_back(course: Course, lives: list[tuple[Point, Point]]) -> None:
    """Each life ends with one installation, a node that runs from its disk, and then a server that is free."""
    with fresh_rack(course) as ground:
        for made, gone in lives:
            assert killed(ground, made, gone) == (True, True), f"{made} / {gone}"
