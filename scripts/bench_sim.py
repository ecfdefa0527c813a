"""Measures simulated clusters of growing size: apply, a plan that finds nothing to do, and destroy.

`make bench-sim` runs it; `scripts/bench_sim.py 50 300` takes other sizes. Each size has a folder, a daemon and a
state of its own, and is driven by the real command. Time is told twice: on the wall, and as seconds of CPU, of
prov and of the daemon apart, since both share the computer. Calls are those that machines answered; their number
is the same on any computer. The exponent is the slope of the logarithm over that of the number of machines: 1 is
linear, 2 is quadratic.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SIZES = (50, 100, 200, 300)
CONTROL_PLANES = 3
PROV = Path(sys.executable).with_name("prov")
RUNS = {"apply": ("apply", "--yes"), "plan": ("plan",), "destroy": ("destroy", "--yes")}

_FILE = """\
version: 1
name: bench
talos: {{version: v1.13.9}}
kubernetes: {{version: v1.36.3}}
providers:
  sim: {{time_scale: {time_scale}, delivery: {delivery}}}
endpoint: auto
pools:
  control: {{role: controlplane, provider: sim, count: {control}}}
  workers: {{role: worker, provider: sim, count: {workers}}}
"""


class Cost(NamedTuple):
    """What one run took: seconds on the wall, seconds of CPU of both processes, calls of the machine API."""

    wall: float
    prov: float
    daemon: float
    calls: float


class Bench:
    """One cluster of one size, with everything around it in a folder."""

    def __init__(self, folder: Path, machines: int, time_scale: float, delivery: str) -> None:
        self._folder = folder
        self._socket = folder / "sim" / "default.sock"
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PROV_SIM_DIR": str(self._socket.parent),
            "PROV_AGE_KEY_FILE": str(folder / "age.key"),
            "NO_COLOR": "1",
        }
        workers = machines - CONTROL_PLANES
        text = _FILE.format(control=CONTROL_PLANES, workers=workers, time_scale=time_scale, delivery=delivery)
        (folder / "cluster.yaml").write_text(text)
        self._prov("keys", "create", "--out", str(folder / "age.key"))

    def cost(self, *command: str) -> Cost:
        """What a command costs; one that fails ends the benchmark."""
        (daemon, calls), began = self._daemon(), time.monotonic()
        cpu = self._prov(*command)
        wall = time.monotonic() - began
        daemon_after, calls_after = self._daemon()
        return Cost(wall, cpu, daemon_after - daemon, calls_after - calls)

    def stop(self) -> None:
        """Ends the daemon, and with it all machines."""
        self._prov("sim", "stop")

    def _prov(self, *command: str) -> float:
        """Runs the command to its end; the seconds of CPU it took."""
        log = self._folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [PROV, *command],
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"prov {' '.join(command)} ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        return usage.ru_utime + usage.ru_stime

    def _daemon(self) -> tuple[float, int]:
        """The seconds of CPU that the daemon has used, and the calls its machines had; 0 before there is one."""
        try:
            with socket.socket(socket.AF_UNIX) as control, control.makefile("rw") as lines:
                control.connect(os.fsencode(self._socket))
                pid = json.loads(lines.readline())["pid"]
                fields = Path("/proc", str(pid), "stat").read_text().rpartition(") ")[2].split()
                lines.write('{"verb": "show"}\n')
                lines.flush()
                calls = json.loads(lines.readline())["result"]["calls"]["api"]
        except OSError:
            return 0.0, 0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), sum(calls.values())


@contextmanager
def bench(machines: int, time_scale: float, delivery: str) -> Iterator[Bench]:
    """A bench whose daemon and files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="prov-bench-") as folder:
        made = Bench(Path(folder), machines, time_scale, delivery)
        try:
            yield made
        finally:
            made.stop()


def measure(machines: int, time_scale: float, delivery: str) -> dict[str, Cost]:
    """The cost of each run, by name."""
    with bench(machines, time_scale, delivery) as cluster:
        return {name: cluster.cost(*command) for name, command in RUNS.items()}


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of log(seconds) over log(machines), by least squares; NaN for a single size."""
    if len(sizes) < 2:
        return math.nan
    xs, ys = [math.log(size) for size in sizes], [math.log(max(value, 0.01)) for value in seconds]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return slope / sum((x - mean_x) ** 2 for x in xs)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The cost of simulated clusters of growing size.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="MACHINES", help="4 or more")
    parser.add_argument("--time-scale", type=float, default=0.0, help="0, the default, is no delays at all")
    parser.add_argument("--delivery", default="user_data", help="user_data or api")
    options = parser.parse_args(arguments)
    sizes: list[int] = sorted(options.sizes)
    row = "{:>8}  {:<8}  {:>7}  {:>10}  {:>12}  {:>7}".format
    write = sys.stdout.write
    write(row("machines", "run", "wall s", "prov CPU s", "daemon CPU s", "calls") + "\n")
    costs: dict[str, list[Cost]] = {name: [] for name in RUNS}
    for size in sizes:
        for name, cost in measure(size, options.time_scale, options.delivery).items():
            costs[name].append(cost)
            write(row(size, name, *(f"{value:.1f}" for value in cost[:-1]), f"{cost.calls:.0f}") + "\n")
            sys.stdout.flush()
    for name, found in costs.items():
        slopes = [exponent(sizes, column) for column in zip(*found, strict=True)]
        write(row("exponent", name, *(f"{slope:.2f}" for slope in slopes)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
