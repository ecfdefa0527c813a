"""Bad cluster files, one folder each: every problem is named at its place, with a remedy.

`PROV_GOLDEN=write` rewrites the expected texts; read the diff.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from provisioner.errors import InputError, Problem
from provisioner.spec.load import load

CASES = Path(__file__).parents[2] / "cases" / "spec"
NAMES = sorted(folder.name for folder in CASES.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_all_problems_are_reported_as_expected(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _as_text(_problems(name, monkeypatch))
    expected = CASES / name / "expected.txt"
    if os.environ.get("PROV_GOLDEN") == "write":
        expected.write_text(found)
    assert expected.read_text() == found


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_can_be_acted_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for problem in _problems(name, monkeypatch):
        assert problem.place.file, problem
        assert problem.detail, problem
        assert problem.remedy, problem


def test_there_are_enough_cases_to_mean_something() -> None:
    assert len(NAMES) >= 30


def test_no_secret_of_the_environment_is_ever_shown() -> None:
    texts = [(CASES / name / "expected.txt").read_text() for name in NAMES]
    assert [text for text in texts if "hunter2" in text] == []


def _problems(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Problem, ...]:
    monkeypatch.chdir(CASES / name)  # so that places read as they do for a user
    given_file = Path("given.json")
    given = json.loads(given_file.read_text()) if given_file.exists() else {}
    with pytest.raises(InputError) as caught:
        load(Path("cluster.yaml"), variables=given.get("variables", {}), environ=given.get("environ", {}))
    return caught.value.problems()


def _as_text(problems: tuple[Problem, ...]) -> str:
    return "\n".join(
        f"{item.place}  {item.code}\n  {item.summary}\n  detail: {item.detail}\n  remedy: {item.remedy}\n"
        for item in problems
    )
