"""What looks wrong with a cluster: one folder below `tests/cases/lint` for each rule, and those that are quiet.

`PROV_GOLDEN=write` rewrites the expected texts; read the diff.
"""

from __future__ import annotations

import os
from contextlib import chdir
from functools import cache
from pathlib import Path

import pytest

from provisioner.blueprints.find import shipped
from provisioner.cluster.compose import compose_with_stages
from provisioner.cluster.lint.catalogue import RULES, Lint, lint
from provisioner.cluster.lint.subject import Subject
from provisioner.cluster.stages import staged_nodes
from provisioner.cluster.topology import topology_of
from provisioner.errors import Problem
from provisioner.plugins.registry import Registry
from provisioner.spec.load import load

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests/cases/lint"
NAMES = sorted(folder.name for folder in CASES.iterdir())
SECRET = "hunter2hunter2"


def _lint(file: Path, *ignored: str) -> Lint:
    registry = Registry.installed()
    spec = load(file, variables={}, environ={"PASSWORD": SECRET, "BMC_PASSWORD": SECRET})
    topology, bindings = topology_of(spec, {})
    assert topology is not None
    composed = compose_with_stages(spec, topology, bindings, registry)
    subject = Subject(spec, topology, staged_nodes(spec, topology, composed), composed.machines)
    return lint(subject, ignored)


@cache
def _of_case(name: str) -> Lint:
    with chdir(CASES / name):  # so that places read as they do for a user
        return _lint(Path("cluster.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_all_is_found_as_expected(name: str) -> None:
    found = _of_case(name)
    text = "\n".join(
        [*(_text("error", item) for item in found.errors), *(_text("warning", item) for item in found.warnings)]
    )
    expected = CASES / name / "expected.txt"
    if os.environ.get("PROV_GOLDEN") == "write":
        expected.write_text(text)
    assert expected.read_text() == text


def test_every_rule_finds_something_in_the_case_of_its_name() -> None:
    for rule in RULES:
        found = _of_case(rule.code)
        assert rule.code in [problem.code for problem in (*found.errors, *found.warnings)]


@pytest.mark.parametrize("name", NAMES)
def test_every_complaint_can_be_acted_on_and_shows_no_secret(name: str) -> None:
    found = _of_case(name)
    for problem in (*found.errors, *found.warnings):
        assert problem.place.file, problem
        assert problem.place.line, problem
        assert problem.detail, problem
        assert problem.remedy, problem
        assert SECRET not in repr(problem)


def test_a_rule_can_be_left_out() -> None:
    file = CASES / "nowhere-to-run" / "cluster.yaml"
    assert _lint(file).warnings
    assert _lint(file, "nowhere-to-run") == Lint((), ())


def test_what_prov_ships_and_shows_is_clean() -> None:
    files = [folder / "cluster.yaml" for folder in shipped().values()] + [
        ROOT / "examples/first-cluster/cluster.yaml"
    ]
    assert [_lint(file) for file in files] == [Lint((), ())] * len(files)


def test_every_rule_has_a_reason_of_whole_sentences() -> None:
    for rule in RULES:
        assert rule.reason.endswith("."), rule.code
        assert len(rule.reason.split()) >= 10, rule.code
    codes = [rule.code for rule in RULES]
    assert len(codes) == len(set(codes))


def _text(word: str, problem: Problem) -> str:
    return (
        f"{problem.place}  {word}: {problem.code}\n  {problem.summary}\n  detail: {problem.detail}\n"
        f"  remedy: {problem.remedy}\n"
    )
