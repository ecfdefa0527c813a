"""Measures the core: plan, apply and no-change plan of n resources that cost nothing, beside the same for Terraform.

`make bench` runs it. The resources are values (`core.value`, `terraform_data`) in chains of ten; every command is a
real process in a fresh folder below the system's temporary one. Where Terraform is not installed, or a size is more
than it can bear, the figures recorded once stand in its place, in brackets. The table goes to standard output.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import field, frozen

ROOT = Path(__file__).resolve().parents[1]
PROV = Path(sys.executable).with_name("prov")
CHAIN = 10
FLEET = 5_000
SIZES = (100, 1_000, 10_000, 50_000)
TERRAFORM_UP_TO = 1_000
"""Its apply grows as n^2.1: 17 s for 1 000, a quarter of an hour for 8 000."""
STEPS = ("plan", "apply", "no-change plan")
STARTS = 7

Line: TypeAlias = tuple[str, ...]


@frozen
class Figure:
    """One process: wall clock and processor time in seconds, peak memory in MB. `over` says it was not finished."""

    wall: float
    cpu: float | None = None
    memory: float | None = None
    over: bool = False


RECORDED: Mapping[tuple[int, str], Figure] = {
    (1_000, "plan"): Figure(1.0),
    (1_000, "apply"): Figure(17.4),
    (1_000, "no-change plan"): Figure(1.2),
    (2_000, "plan"): Figure(2.2),
    (2_000, "apply"): Figure(74.7),
    (2_000, "no-change plan"): Figure(2.9),
    (4_000, "plan"): Figure(5.7),
    (4_000, "apply"): Figure(314.0),
    (4_000, "no-change plan"): Figure(5.1),
    (10_000, "plan"): Figure(14.9, memory=709),
    (10_000, "apply"): Figure(1440.0, over=True),
    (10_000, "no-change plan"): Figure(13.7, memory=993),
}
"""Terraform 1.11.4 on a machine of two cores, otherwise idle."""


RECORDED_START = Figure(0.035)


class Spent(Exception):
    """The time for all measurements is used up."""


@frozen
class Budget:
    """Seconds for everything together; what does not fit any more is left out."""

    seconds: float
    began: float = field(factory=time.monotonic)

    def left(self) -> float:
        """Seconds to go; raises Spent when there are none."""
        left = self.seconds - (time.monotonic() - self.began)
        if left <= 0:
            raise Spent
        return left


@frozen
class Tool:
    """A program to measure: how it is called, and how its input for n resources is written.

    `changed` is the number of a resource that has another value than usual.
    """

    name: str
    program: Path
    environ: Mapping[str, str]
    file: str
    text: Callable[[int, int | None], str]
    prepare: Sequence[str]
    plan: Sequence[str]
    apply: Sequence[str]
    unread: Sequence[str]
    """What makes it read nothing."""

    def write(self, folder: Path, n: int, changed: int | None = None) -> None:
        """The input for n resources."""
        (folder / self.file).write_text(self.text(n, changed))

    def run(self, args: Sequence[str], folder: Path, budget: Budget, good: Iterable[int] = (0,)) -> Figure:
        """One process to its end, or to that of the budget."""
        return measure([str(self.program), *args], folder, self.environ, budget.left(), good)

    def steps(self, n: int, budget: Budget) -> dict[str, Figure]:
        """The three figures for n resources, in a fresh folder; those that were not finished in time are missing."""
        found: dict[str, Figure] = {}
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            self.write(folder, n)
            for args in filter(None, [self.prepare]):
                self.run(args, folder, budget)
            good = ((0, 2), (0,), (0,))  # 2 says that a plan has changes, and the last must have none
            for step, args, codes in zip(STEPS, (self.plan, self.apply, self.plan), good, strict=True):
                say(f"{self.name}: {step} of {n}")
                found[step] = self.run(args, folder, budget, codes)
                if found[step].over:
                    break
        return found


def measure(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], limit_s: float, good: Iterable[int]
) -> Figure:
    """Runs a command and asks the kernel what it took; one that takes longer than `limit_s` is ended."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )
        timer = threading.Timer(limit_s, os.kill, (process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        timer.cancel()
        process.returncode = code = os.waitstatus_to_exitcode(status)
        said.seek(0)
        tail = said.read().decode("utf-8", "replace")[-2000:]
    late = code == -signal.SIGKILL and wall >= limit_s
    if code not in good and not late:
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{tail}")
    return Figure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, over=late)


# the two programs


def prov(home: Path) -> Tool:
    """prov with an age identity of its own."""
    key = home / "age.key"
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "PROV_AGE_KEY_FILE": str(key), "NO_COLOR": "1"}
    subprocess.run([PROV, "keys", "create", "--out", key], env=environ, check=True, capture_output=True)
    return Tool(
        "prov", PROV, environ, "cluster.yaml", prov_text, (), ("plan",), ("apply", "--yes"), ("--no-refresh",)
    )


def terraform(home: Path) -> Tool | None:
    """Terraform, if it is on the PATH; it asks nobody for newer versions."""
    found = shutil.which("terraform")
    if found is None:
        return None
    config = home / "terraformrc"
    config.touch()
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TF_CLI_CONFIG_FILE": str(config)}
    environ |= {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    plain = ("-input=false", "-no-color")
    return Tool(
        "terraform",
        Path(found),
        environ,
        "main.tf",
        terraform_text,
        ("init", *plain),
        ("plan", *plain),
        ("apply", "-auto-approve", *plain),
        ("-refresh=false",),
    )


def prov_text(n: int, changed: int | None) -> str:
    """A cluster file of n values, each but the first of ten with the id of the one before."""
    lines = ["version: 1", "name: bench", "resources:"]
    for at in range(n):
        before = f', before: "${{resources.r{at - 1}.id}}"' if at % CHAIN else ""
        lines.append(f"  r{at}: {{kind: core.value, props: {{value: {{n: {_number(at, changed)}{before}}}}}}}")
    return "\n".join(lines) + "\n"


def terraform_text(n: int, changed: int | None) -> str:
    """The same for Terraform."""
    lines = []
    for at in range(n):
        before = f", before = terraform_data.r{at - 1}.id" if at % CHAIN else ""
        lines.append(f'resource "terraform_data" "r{at}" {{\n  input = {{ n = {_number(at, changed)}{before} }}\n}}')
    return "\n".join(lines) + "\n"


def _number(at: int, changed: int | None) -> int:
    return -at if at == changed else at


# what is measured


def lines(chosen: argparse.Namespace, ours: Tool, theirs: Tool | None, budget: Budget) -> Iterator[Line]:
    """The table line by line, as it is measured; raises Spent in between."""
    yield from start_up(ours, theirs, budget)
    yield from growth(chosen, ours, theirs, budget)
    yield from one_of_many(ours, FLEET, budget)
    if chosen.full and theirs is not None:
        yield from one_of_many(theirs, FLEET, budget)


def start_up(ours: Tool, theirs: Tool | None, budget: Budget) -> Iterator[Line]:
    """The best of several starts: the version of either, and the check of the example."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        say("the time to start")
        known = RECORDED_START if theirs is None else _best(theirs, ("version",), folder, budget)
        yield line("", "version", _best(ours, ("--version",), folder, budget), known, recorded=theirs is None)
        example = ROOT / "examples" / "first-cluster"
        shutil.copytree(example, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".prov"))
        yield line("", "validate the example", _best(ours, ("validate",), folder, budget), None)


def _best(tool: Tool, args: Sequence[str], folder: Path, budget: Budget) -> Figure:
    return min((tool.run(args, folder, budget) for _ in range(STARTS)), key=lambda figure: figure.wall)


def growth(chosen: argparse.Namespace, ours: Tool, theirs: Tool | None, budget: Budget) -> Iterator[Line]:
    """Plan, apply and plan again for each size, and how that grows."""
    found: dict[str, dict[int, Mapping[str, Figure]]] = {"prov": {}, "terraform": {}}
    for n in chosen.sizes:
        found["prov"][n] = ours.steps(n, budget)
        measured = theirs is not None and n <= chosen.terraform_up_to
        found["terraform"][n] = theirs.steps(n, budget) if theirs and measured else {}
        for step in STEPS:
            known = found["terraform"][n].get(step) if measured else RECORDED.get((n, step))
            yield line(str(n), step, found["prov"][n].get(step), known, recorded=not measured)
    for step in STEPS:
        yield ("growth", step, *exponents(found["prov"], step), *exponents(found["terraform"], step), "")


def one_of_many(tool: Tool, n: int, budget: Budget) -> Iterator[Line]:
    """One resource of n is given another value: planned and applied without reading, and what that wrote."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        tool.write(folder, n)
        for args in filter(None, [tool.prepare, tool.apply]):
            say(f"{tool.name}: {args[0]} of {n}")
            if tool.run(args, folder, budget).over:
                return
        state = folder / ".prov" / "bench.db"
        before = _serial(state)
        tool.write(folder, n, changed=n // 2)
        say(f"{tool.name}: one of {n} changed")
        plan = tool.run((*tool.plan, *tool.unread), folder, budget, good=(0, 2))
        apply = tool.run((*tool.apply, *tool.unread), folder, budget)
        written = f" ({_written(state, before)})" if before else ""
        for what, figure in (("plan unread", plan), (f"apply unread{written}", apply)):
            sides = (figure, None) if tool.name == "prov" else (None, figure)
            yield line(str(n), f"one changed: {what}", *sides)


def _serial(state: Path) -> int:
    """The serial of a state of prov; 0 where there is none."""
    if not state.exists():
        return 0
    with contextlib.closing(sqlite3.connect(state)) as db:
        (serial,) = db.execute("SELECT value FROM meta WHERE name = 'serial'").fetchone()
    return int(serial)


def _written(state: Path, before: int) -> str:
    """How many commits there were since a serial, and in how many rows they left something."""
    with contextlib.closing(sqlite3.connect(state)) as db:
        (rows,) = db.execute("SELECT count(*) FROM entries WHERE serial > ?", (before,)).fetchone()
    return f"{_serial(state) - before} commits, rows: {rows}"


# the table

HEAD = ("n", "what", "prov s", "CPU s", "MB", "terraform s", "CPU s", "MB", "prov / terraform")


def line(n: str, what: str, ours: Figure | None, theirs: Figure | None, *, recorded: bool = False) -> Line:
    """One line of the table; recorded figures are in brackets."""
    cells = [_cells(ours), _cells(theirs)]
    if recorded:
        cells[1] = [f"[{cell}]" if cell else "" for cell in cells[1]]
    ratio = ""
    if ours is not None and theirs is not None and not ours.over:
        ratio = f"{'< ' if theirs.over else ''}{ours.wall / theirs.wall:.2f}"
    return (n, what, *cells[0], *cells[1], ratio)


def _cells(figure: Figure | None) -> list[str]:
    if figure is None:
        return ["", "", ""]
    cpu = "" if figure.cpu is None else f"{figure.cpu:.2f}"
    memory = "" if figure.memory is None else f"{figure.memory:.0f}"
    wall = f"{figure.wall:.3f}" if figure.wall < 1 else f"{figure.wall:.1f}"
    return [f"> {wall}" if figure.over else wall, cpu, memory]


def exponent(points: Mapping[int, float], start: float) -> str:
    """The slope of a line through the logarithms of what n costs: 1 is linear, 2 quadratic.

    `start` is what it takes to begin with anything; it is taken off, and sizes that cost less than that besides say
    nothing.
    """
    above = {n: value - start for n, value in points.items() if value > 2 * start}
    used = [(math.log(n), math.log(value)) for n, value in above.items()]
    if len(used) < 2:
        return ""
    x, y = (sum(column) / len(used) for column in zip(*used, strict=True))
    slope = sum((a - x) * (b - y) for a, b in used) / sum((a - x) ** 2 for a, _ in used)
    return f"n^{slope:.2f}"


def exponents(found: Mapping[int, Mapping[str, Figure]], step: str) -> list[str]:
    """The growth of wall clock, processor time and memory of one step."""
    whole = {n: steps[step] for n, steps in found.items() if step in steps and not steps[step].over}
    smallest = found[min(found)].values() if found else ()
    return [
        exponent({n: figure.wall for n, figure in whole.items()}, min((f.wall for f in smallest), default=0.0)),
        exponent({n: f.cpu for n, f in whole.items() if f.cpu}, min((f.cpu or 0.0 for f in smallest), default=0.0)),
        exponent(
            {n: f.memory for n, f in whole.items() if f.memory}, min((f.memory or 0.0 for f in smallest), default=0.0)
        ),
    ]


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown that reads as plain text too."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["| " + " | ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in rows]
    rule = "| " + " | ".join("-" * (width - 1) + ":" for width in widths) + " |"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def say(text: str) -> None:
    """Talk goes to standard error."""
    sys.stderr.write(f"{text}\n")


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=_sizes, help="numbers of resources, between commas")
    parser.add_argument("--full", action="store_true", help="one of 5 000 changed with Terraform, too")
    parser.add_argument("--terraform-up-to", type=int, default=TERRAFORM_UP_TO, metavar="N")
    parser.add_argument("--no-terraform", action="store_true", help="beside the recorded figures only")
    parser.add_argument("--budget", type=float, default=900.0, metavar="SECONDS", help="for everything together")
    chosen = parser.parse_args()
    chosen.sizes = chosen.sizes or SIZES
    return chosen


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.split(r"[, ]+", text.strip()))


def main() -> int:
    """Measures and prints; the exit code."""
    chosen = options()
    budget = Budget(chosen.budget)
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        ours = prov(Path(home))
        theirs = None if chosen.no_terraform else terraform(Path(home))
        rows: list[Line] = [HEAD]
        try:
            for row in lines(chosen, ours, theirs, budget):
                rows.append(row)
        except Spent:
            say(f"the {chosen.budget:.0f} s are used up: the rest is left out")
        sys.stdout.write(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
