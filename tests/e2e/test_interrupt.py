"""Ctrl-C, while a call is in flight that does not come back."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, threading
from pathlib import Path
from fakes.bench import Bench
from provisioner.model.event import Stopping
from provisioner.workflow.apply import stop_on_interrupt

bench = Bench(Path(sys.argv[1]))
held, until_stopping = threading.Event(), sys.argv[2] == "until stopping"

def hold(job):
    print("called", flush=True)
    held.wait(600)

bench.cloud.script("create", "a", hold)
plan = bench.plan({"toy.thing/a": None, "toy.thing/b": {"_after": ["toy.thing/a"]}})

def work(engine):
    def emit(event):
        if isinstance(event, Stopping):
            print("stopping", flush=True)
            if until_stopping:
                held.set()
    engine.emit = emit
    with stop_on_interrupt(engine):
        return engine.apply(plan.steps)

print(bench.run(work), flush=True)
"""


def start(folder: Path, lasts: str) -> subprocess.Popen[str]:
    """A run that stops; its first call was in flight until then, or `for long` is still."""
    run = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), lasts],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "called\n"
    run.send_signal(signal.SIGINT)
    assert run.stdout.readline() == "stopping\n"
    return run


def test_the_first_lets_the_call_in_flight_finish_and_begins_nothing_more(tmp_path: Path) -> None:
    run = start(tmp_path, "until stopping")
    out, _ = run.communicate(timeout=300)
    assert "done=1, failed=0, skipped=0, left=1" in out


def test_the_second_ends_the_process_at_once(tmp_path: Path) -> None:
    run = start(tmp_path, "for long")
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=300)
    assert run.returncode == -signal.SIGINT
