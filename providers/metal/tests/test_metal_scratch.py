"""Folders of processes that were killed, and of those that were not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from prov_metal.boot.scratch import scratch

OTHER = """
import sys
from pathlib import Path
from prov_metal.boot.scratch import scratch
print(scratch("prov-test-", Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def other(base: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another process that has a folder, and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else(tmp_path: Path) -> None:
    """A living process keeps its folder, and so does whoever has none of our locks in it."""
    theirs = tmp_path / "prov-test-theirs"
    theirs.mkdir()
    (killed, left), (lives, kept) = other(tmp_path), other(tmp_path)
    (left / "leases").write_text("something")
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    mine = scratch("prov-test-", tmp_path)

    assert {theirs, kept, mine} == {*tmp_path.iterdir()}
    assert mine.stat().st_mode & 0o777 == 0o700
    assert {kept, mine, scratch("prov-test-", tmp_path)} == {*tmp_path.iterdir()} - {theirs}
    lives.communicate()
