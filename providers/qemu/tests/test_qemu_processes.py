"""Processes known by a lock that they hold: real ones, and those that tests only write down, do the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prov_qemu.processes import PROCESS, OwnProcesses, last_words, process_of

SLEEPER = (
    sys.executable,
    "-c",
    "import sys; print('up', flush=True); sys.stdin.close(); import signal; signal.pause()",
)


def until(holds: Callable[[], bool]) -> None:
    """Waits for something that another process does; the test's own time limit ends it where it never comes."""
    while not holds():
        os.sched_yield()


@pytest.fixture(params=["real", "written down"])
def processes(request: pytest.FixtureRequest, bench: Any) -> Any:
    return OwnProcesses(lambda what: None) if request.param == "real" else bench.computer.processes


def test_a_process_lives_from_its_start_until_it_is_killed(processes: Any, tmp_path: Path) -> None:
    """There is no moment after the start in which it is not known, and killing needs no look before."""
    before = processes.alive(tmp_path)
    first, second = processes.start(tmp_path, SLEEPER, tmp_path), processes.start(tmp_path, SLEEPER, tmp_path)
    between = processes.alive(tmp_path)
    processes.kill(tmp_path)
    until(lambda: not processes.alive(tmp_path))
    processes.kill(tmp_path)

    assert (before, first, between, second) == (False, True, True, False)


def test_a_folder_can_have_a_process_again(processes: Any, tmp_path: Path) -> None:
    processes.start(tmp_path, SLEEPER, tmp_path)
    processes.kill(tmp_path)
    until(lambda: not processes.alive(tmp_path))

    assert processes.start(tmp_path, SLEEPER, tmp_path)
    processes.kill(tmp_path)


def test_a_process_outlives_whoever_started_it_and_is_found_by_others(tmp_path: Path) -> None:
    """Not even the number need have been written down: whoever has the lock is it."""
    starter = textwrap.dedent(
        f"""
        import os
        from pathlib import Path
        from prov_qemu.processes import OwnProcesses
        OwnProcesses(lambda what: None).start(Path({str(tmp_path)!r}), {SLEEPER!r}, Path({str(tmp_path)!r}))
        os.kill(os.getpid(), 9)
        """
    )
    subprocess.run([sys.executable, "-c", starter], check=False)
    (tmp_path / PROCESS).unlink()
    ours = OwnProcesses(lambda what: None)

    assert ours.alive(tmp_path)
    assert not ours.start(tmp_path, SLEEPER, tmp_path)
    assert process_of(tmp_path) is not None
    ours.kill(tmp_path)
    until(lambda: not ours.alive(tmp_path))


def test_a_number_that_somebody_else_has_now_is_not_hit(tmp_path: Path) -> None:
    """A bystander whose number is written down, with the right time even, survives the kill."""
    ours = OwnProcesses(lambda what: None)
    ours.start(tmp_path, SLEEPER, tmp_path)
    with subprocess.Popen(SLEEPER, stdout=subprocess.PIPE) as bystander:
        started = int(Path(f"/proc/{bystander.pid}/stat").read_text().rpartition(")")[2].split()[19])
        (tmp_path / PROCESS).write_text(json.dumps({"pid": bystander.pid, "started": started}))
        ours.kill(tmp_path)
        until(lambda: not ours.alive(tmp_path))

        assert bystander.poll() is None
        bystander.kill()


def test_a_process_that_fails_leaves_its_last_words(tmp_path: Path) -> None:
    """Warnings are no complaint."""
    says = "import sys; sys.exit('no such machine\\nqemu: warning: hub 0 with no nics')"
    ours = OwnProcesses(lambda what: None)
    ours.start(tmp_path, (sys.executable, "-c", says), tmp_path)
    until(lambda: not ours.alive(tmp_path))

    assert last_words(tmp_path) == "no such machine"
