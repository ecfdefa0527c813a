"""The crash matrix of AWS: killed once at every kind of call, at every verb of every kind in every phase.

    python tests/crash/aws_matrix.py RESULTS

Each kill adds a line of JSON to RESULTS; what has a line is not done again, so a run that was stopped goes on where
it was. The end is a count, and exit code 1 if any kill broke something.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from crash.aws import SCENARIOS, AwsGround, aws_ground
from crash.choice import Kill, in_turns, one_of_a_kind
from crash.ground import Broken, Passage
from crash.points import kind_of

WHERE = ("apply create aws.", "apply update aws.", "apply delete aws.", "request ec2.", "request elbv2.")
"""What the kinds of points begin with at which runs are killed."""


def traces(folder: Path) -> dict[Any, list[Passage]]:
    """The points of each scenario, found once and kept."""
    file = folder / "crash-points-aws.json"
    if not file.exists():
        with aws_ground() as ground:
            made = {scenario.name: [passage.names for passage in ground.trace(scenario)] for scenario in SCENARIOS}
        file.write_text(json.dumps(made))
    kept = json.loads(file.read_text())
    return {scenario: [Passage(tuple(names)) for names in kept[scenario.name]] for scenario in SCENARIOS}


def chosen(found: dict[Any, list[Passage]]) -> list[Kill]:
    """One kill for every kind of point that counts, in an order in which each begins where the last one ended."""
    kinds = {
        kind
        for passages in found.values()
        for passage in passages
        for kind in map(kind_of, passage.names)
        if kind.startswith(WHERE)
    }
    order: Sequence[Any] = SCENARIOS
    return in_turns(one_of_a_kind(found, kinds), order)


def main(results: Path) -> int:
    results.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    known = {(row["scenario"], row["point"]) for row in rows}
    left = [kill for kill in chosen(traces(results.parent)) if (kill.scenario.name, kill.point) not in known]
    while left:
        with aws_ground() as ground:
            while left:
                row = _killed(ground, left.pop(0))
                rows.append(row)
                with results.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(f"{row['outcome']:7} {row['scenario']}: {row['point']}", flush=True)
                if row["outcome"] == "broken":
                    break  # the next one gets a fresh laboratory
    print(json.dumps(Counter(row["outcome"] for row in rows)))
    return int(any(row["outcome"] == "broken" for row in rows))


def _killed(ground: AwsGround, kill: Kill) -> dict[str, Any]:
    began = time.monotonic()
    scenario: Any = kill.scenario
    row: dict[str, Any] = {"scenario": scenario.name, "point": kill.point}
    try:
        row["outcome"] = "held" if ground.kill(scenario, kill.point) else "missed"
    except Broken as err:
        row |= {"outcome": "broken", "detail": str(err)}
    return {**row, "seconds": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
