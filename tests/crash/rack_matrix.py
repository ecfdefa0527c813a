"""The crash matrix of racked servers: killed at every phase that is on record, and in every call to a BMC.

    python tests/crash/rack_matrix.py RESULTS

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
from crash.rack_ground import MODULES, SPEED, Point, RackGround
from crash.run import Runner
from fakes.lab import Lab

from provisioner.state.identity import create_identity

APPLY, DESTROY = ("apply", "--yes"), ("destroy", "--yes")
WAYS = {"comes back": True, "stays off": False}
"""What a server does after its installation."""


@contextmanager
def fresh_rack() -> Iterator[RackGround]:
    """A rack of one, and prov beside it."""
    folder = Path(tempfile.mkdtemp(prefix="prov-rack-"))
    create_identity(folder / "age.key")
    (folder / "lab").mkdir()
    lab = Lab(folder / "lab", folder / "age.key")
    with Rack(1, folder, speed=SPEED) as rack:
        runner = Runner(lab, *MODULES)
        try:
            yield RackGround(lab, rack, runner)
        finally:
            runner.close()
            shutil.rmtree(folder)


def once_each(points: list[Point]) -> list[Point]:
    """The first point of each kind, and every point in a call to a BMC."""
    chosen: dict[str, Point] = {}
    for point in points:
        chosen.setdefault(f"{kind_of(point.name)} {point.name.split()[-2]}" if point.name else str(point), point)
    return list(chosen.values())


def lives(ground: RackGround, *, returns: bool) -> tuple[list[Point], list[Point]]:
    """The points of an apply and of a destroy, each undisturbed."""
    ground.begin(returns=returns)
    made = once_each(ground.trace(*APPLY))
    ground.check_made()
    gone = once_each(ground.trace(*DESTROY))
    ground.check_gone()
    return made, gone


def killed(ground: RackGround, made: Point, gone: Point, *, returns: bool) -> tuple[bool, bool]:
    """A life with two kills in it; whether it came to each. Raises Broken."""
    ground.begin(returns=returns)
    first = ground.kill(made, *APPLY)
    ground.check_made()
    second = ground.kill(gone, *DESTROY)
    ground.check_gone()
    return first, second


def main(results: Path) -> int:
    results.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    known = {(row["way"], row["point"]) for row in rows}
    for way, returns in WAYS.items():
        with fresh_rack() as ground:
            made, gone = lives(ground, returns=returns)
        left = [pair for pair in zip(made, cycle(gone), strict=False) if (way, str(pair[0])) not in known]
        while left:
            with fresh_rack() as ground:
                while left:
                    row = _row(ground, way, *left.pop(0))
                    rows.append(row)
                    with results.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    print(f"{row['outcome']:7} {way}: {row['point']} / {row['then']}", flush=True)
                    if row["outcome"] == "broken":
                        print(row["detail"], flush=True)
                        break
    print(json.dumps(Counter(f"{row['way']}: {row['outcome']}" for row in rows)))
    return int(any(row["outcome"] == "broken" for row in rows))


def _row(ground: RackGround, way: str, made: Point, gone: Point) -> dict[str, Any]:
    began = time.monotonic()
    row: dict[str, Any] = {"way": way, "point": str(made), "then": str(gone)}
    try:
        hits = killed(ground, made, gone, returns=WAYS[way])
        row["outcome"] = "held" if hits[0] else "missed"
    except Broken as err:
        row |= {"outcome": "broken", "detail": str(err)}
    return {**row, "seconds": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
