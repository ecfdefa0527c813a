"""The judges: Talos's own configuration library of each minor release, as a program that answers questions.

`judge.go` says what can be asked. Building is left to Go, which knows by itself whether anything has changed; a
program is begun when its first question comes and answers all of a session.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "build/judge"

Answer = dict[str, Any]


class Judge(Protocol):
    """One minor release; see `judge.go` for what to ask, and what it says."""

    def __call__(self, do: str, **said: Any) -> Answer: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need Go, and the first of a session takes as long as building does."""
    here = [item for item in items if HERE in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.judge)
        item.add_marker(pytest.mark.timeout(900))
        if shutil.which("go") is None:
            item.add_marker(pytest.mark.skip(reason="Go is not installed, and the judge is written in it"))


@pytest.fixture(scope="session")
def judges() -> Iterator[Callable[[str], Judge]]:
    """The judge of a minor release such as `1.13`."""
    running: dict[str, subprocess.Popen[str]] = {}

    def of(minor: str) -> Judge:
        if minor not in running:
            running[minor] = subprocess.Popen(
                [_built(minor)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return _asking(running[minor])

    yield of
    for process in running.values():
        process.communicate()


@pytest.fixture
def judge(judges: Callable[[str], Judge], minor: str) -> Judge:
    """The judge of the minor release that the test is parametrised with."""
    return judges(minor)


def _built(minor: str) -> Path:
    name = f"v{minor.replace('.', '_')}"
    program = BUILT / name
    command = ["go", "build", f"-modfile={name}/go.mod", f"-tags={name}", "-o", str(program), "."]
    subprocess.run(command, cwd=HERE, check=True)
    return program


def _asking(process: subprocess.Popen[str]) -> Judge:
    def ask(do: str, **said: Any) -> Answer:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"do": do, **said}))
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    return ask
