"""The whole crash matrix: every scenario, killed at every point it has.

    python tests/crash/matrix.py RESULTS [FAMILY...]

Two laboratories work side by side. Each kill adds a line of JSON to RESULTS; what has a line is not done again, so
a run that was stopped goes on where it was. The points come from one trace per scenario, kept beside RESULTS.
The end is a table, and exit code 1 if any kill broke something.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from crash.choice import Kill, Traces, every, in_turns
from crash.ground import Broken, Ground, Passage
from crash.run import Runner
from crash.scenarios import FAMILIES, Family
from fakes.lab import Lab

from provisioner.state.identity import create_identity

LABORATORIES = 2


class Results:
    """The file of results, and what is in it: `held`, `missed` (not passed this time) or `broken`, by point."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else []
        self.rows = [json.loads(line) for line in lines]
        self._known = {(row["scenario"], row["point"]) for row in self.rows}
        self._guard = threading.Lock()

    def has(self, kill: Kill) -> bool:
        return (kill.scenario.name, kill.point) in self._known

    def add(self, kill: Kill, outcome: str, seconds: float, detail: str = "") -> None:
        """Writes down how a kill ended."""
        row = {"scenario": kill.scenario.name, "point": kill.point, "outcome": outcome}
        row |= {"seconds": round(seconds, 2), **({"detail": detail} if detail else {})}
        with self._guard, self.path.open("a") as file:
            self.rows.append(row)
            file.write(json.dumps(row) + "\n")
            print(f"{outcome:7} {kill.scenario.name}: {kill.point}", flush=True)

    def table(self) -> str:
        """One line per scenario."""
        counts = {
            name: Counter(r["outcome"] for r in self.rows if r["scenario"] == name) for name in self._scenarios()
        }
        total = sum(counts.values(), Counter[str]())
        lines = ["| scenario | kills | held | broken | not passed again |", "| --- | --- | --- | --- | --- |"]
        for name, found in [*counts.items(), ("all", total)]:
            row = (name, found.total(), found["held"], found["broken"], found["missed"])
            lines.append("| " + " | ".join(map(str, row)) + " |")
        return "\n".join(lines)

    def _scenarios(self) -> list[str]:
        known = [scenario.name for family in FAMILIES.values() for scenario in family.scenarios]
        return [name for name in known if any(row["scenario"] == name for row in self.rows)]


@contextmanager
def fresh_ground() -> Iterator[Ground]:
    """A laboratory of its own, taken away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="prov-crash-"))
    create_identity(folder / "age.key")
    (folder / "lab").mkdir()
    lab = Lab(folder / "lab", folder / "age.key")
    runner = Runner(lab)
    try:
        yield Ground(lab, runner)
    finally:
        runner.close()
        lab.start("sim", "stop").communicate()
        shutil.rmtree(folder)


def traces_of(family: Family, folder: Path) -> Traces:
    """The family's traces, made once and kept."""
    file = folder / f"crash-points-{family.name}.json"
    if not file.exists():
        with fresh_ground() as ground:
            made = {s.name: [passage.names for passage in ground.trace(s)] for s in family.scenarios}
        file.write_text(json.dumps(made))
    kept = json.loads(file.read_text())
    return {s: [Passage(tuple(names)) for names in kept[s.name]] for s in family.scenarios}


def work(kills: Sequence[Kill], results: Results) -> None:
    """Does the kills one after the other; what broke something costs the laboratory, and the next is a fresh one."""
    left = list(kills)
    while left:
        with fresh_ground() as ground:
            while left and _held(ground, left.pop(0), results):
                pass


def _held(ground: Ground, kill: Kill, results: Results) -> bool:
    began = time.monotonic()
    try:
        hit = ground.kill(kill.scenario, kill.point)
    except Broken as err:
        results.add(kill, "broken", time.monotonic() - began, str(err))
        return False
    results.add(kill, "held" if hit else "missed", time.monotonic() - began)
    return True


def main(results_file: Path, names: Sequence[str]) -> int:
    results = Results(results_file)
    for family in [FAMILIES[name] for name in names] or FAMILIES.values():
        traces = traces_of(family, results_file.parent)
        kills = [kill for kill in every(traces) if not results.has(kill)]
        parts = [in_turns(kills[part::LABORATORIES], family.scenarios) for part in range(LABORATORIES)]
        _side_by_side([lambda part=part: work(part, results) for part in parts])  # type: ignore[misc]
    print(f"\n{results.table()}")
    return int(any(row["outcome"] == "broken" for row in results.rows))


def _side_by_side(tasks: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(tasks)) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
