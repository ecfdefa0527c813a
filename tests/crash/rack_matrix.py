"""The crash matrix of racked servers: killed at every phase that is on record, and in every call to a BMC.

    python tests/crash/rack_matrix.py RESULTS [COURSE...]

Each pair of kills, one of the apply and one of the destroy after it, adds a line of JSON to RESULTS; what has a line
is not done again. The end is a count, and exit code 1 if any kill broke something.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from beds.rack.rack import Rack
from crash.ground import Broken
from crash.points import kind_of
from crash.rack_courses import COURSES, Course
from crash.rack_ground import MODULES, Point, RackGround
from crash.run import Runner
from fakes.lab import Lab

from provisioner.state.identity import create_identity

APPLY, DESTROY = ("apply", "--yes"), ("destroy", "--yes")


@contextmanager
def fresh_rack(course: Course = COURSES["comes back"]) -> Iterator[RackGround]:
    """A rack of one, and prov beside it."""
    folder = Path(tempfile.mkdtemp(prefix="prov-rack-"))
    create_identity(folder / "age.key")
    (folder / "lab").mkdir()
    lab = Lab(folder / "lab", folder / "age.key")
    with Rack(1, folder, speed=course.speed) as rack:
        runner = Runner(lab, *MODULES)
        try:
            yield RackGround(lab, rack, runner, course)
        finally:
            runner.close()
            shutil.rmtree(folder)


def once_each(points: list[Point], course: Course) -> list[Point]:
    """The first point of each kind, and every point in a call to a BMC; once more where a second way repeats them."""
    chosen: dict[str, Point] = {}
    for point in points:
        chosen.setdefault(_kind(point, len(course.ways)), point)
    return [*chosen.values()]


def _kind(point: Point, ways: int) -> str:
    if not point.name:
        return str(point)
    *_, side, number = point.name.split()
    return f"{kind_of(point.name)} {side} {min(int(number), ways)}"


def lives(ground: RackGround) -> tuple[list[Point], list[Point]]:
    """The points of an apply and of a destroy, each undisturbed."""
    course = ground.course
    ground.begin()
    made = once_each(ground.trace(*APPLY), course)
    ground.check_made()
    gone = once_each(ground.trace(*DESTROY), course)
    ground.check_gone()
    made = [point for point in made if _is_chosen(point, course)]
    if course.given_up:
        gone = [Point(number=number, side=side) for number in (1, 2, 3) for side in ("before", "after")]
    return made, gone


def _is_chosen(point: Point, course: Course) -> bool:
    if course.kills == "all":
        return True
    if not point.name:
        return point.side == "after"
    number = int(point.name.split()[-1])
    return course.kills == "seen" and point.name.startswith("commit ") and (number > 1 or not course.later)


def pairs(course: Course, made: list[Point], gone: list[Point]) -> list[tuple[Point, Point]]:
    """Which kills come in one life: where the end is special, each of the destroy; else each of the apply."""
    if course.wipe:
        return [(Point(), point) for point in gone]
    return [*zip(made, cycle(gone), strict=False)]


def killed(ground: RackGround, made: Point, gone: Point) -> tuple[bool, bool]:
    """A life with two kills in it; whether it came to each. A point that is none kills nothing. Raises Broken."""
    ground.begin()
    if ground.course.given_up:
        first, second = ground.cut(made, *APPLY), ground.kill(gone, *DESTROY)
        ground.check_given_up()
        return first, second
    first = ground.kill(made, *APPLY)
    ground.check_made()
    second = ground.kill(gone, *DESTROY)
    ground.check_gone()
    return first, second


def main(results: Path, names: list[str]) -> int:
    results.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    known = {(row["course"], row["point"], row["then"]) for row in rows}
    for course in [COURSES[name] for name in names] or COURSES.values():
        with fresh_rack(course) as ground:
            left = pairs(course, *lives(ground))
        left = [pair for pair in left if (course.name, str(pair[0]), str(pair[1])) not in known]
        while left:
            with fresh_rack(course) as ground:
                while left:
                    row = _row(ground, *left.pop(0))
                    rows.append(row)
                    with results.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    said = f"{row['outcome']:7} {course.name}: {row['point']} / {row['then']} ({row['seconds']} s)"
                    print(said, flush=True)
                    if row["outcome"] == "broken":
                        print(row["detail"], flush=True)
                        break
    print(json.dumps(Counter(f"{row['course']}: {row['outcome']}" for row in rows)))
    return int(any(row["outcome"] == "broken" for row in rows))


def _row(ground: RackGround, made: Point, gone: Point) -> dict[str, Any]:
    began = time.monotonic()
    row: dict[str, Any] = {"course": ground.course.name, "point": str(made), "then": str(gone)}
    try:
        hits = killed(ground, made, gone)
        row["outcome"] = "held" if hits[0] or made == Point() else "missed"
    except Broken as err:
        row |= {"outcome": "broken", "detail": str(err)}
    return {**row, "seconds": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
