"""The decision table, case by case: what is wanted, on record and found, and the plan that follows.

A case is `tests/cases/planner/NAME/case.yaml`; `fakes.planning` reads its first half, this module the second:

    expected:
      steps:                       # all that do something, in order; what is empty is left out
        - step: update toy.thing/a
          because: [the file changed]
          changes: ["size: 1 → 2"]
          after: [...], turn: [...], consequence: ..., severity: ..., how: ..., generation: 2, part: ..., ...
      kept: {toy.thing/b: [notes]}
      problems: ["code: detail"]
      rollouts: {name: [[ids of a turn], ...]}
      moves: ["toy.thing/a → toy.thing/b"]
      found: {toy.image/x: {id: ..., digest: ...}}
      unfinished: [...]
      outputs_changed: true
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.planning import plan

from provisioner.model.plan import Plan
from provisioner.model.step import Adopt, Check, Create, Keep, LookUp, Run, Step, Update
from provisioner.model.value import Secret
from provisioner.render.text import short
from provisioner.render.view import path_text, value_view

CASES = Path(__file__).parents[2] / "cases" / "planner"
NAMES = sorted(folder.name for folder in CASES.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_the_plan_is_as_the_case_says(name: str) -> None:
    case = _case(name)
    assert case["expected"] == _told(plan(case))


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_as_recorded_is_planned_only_once(name: str) -> None:
    """Equal input, equal plan."""
    case = _case(name)
    assert plan(case) == plan(case)


def test_every_case_says_what_it_is_about() -> None:
    assert [name for name in NAMES if not _case(name).get("about")] == []
    assert len(NAMES) >= 25


def test_no_plan_of_any_case_shows_a_secret() -> None:
    for name in NAMES:
        assert "hunter2" not in repr(plan(_case(name))), name


def test_a_secret_property_is_secret_in_the_plan_also_when_the_file_has_it_in_the_clear() -> None:
    made = plan({"wanted": {"toy.thing/a": {"token": "hunter2", "note": "plain"}}})
    (step,) = made.work
    assert isinstance(step, Create)
    assert step.wanted == {"name": "a", "token": Secret("hunter2"), "note": "plain"}


def _case(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CASES / name / "case.yaml").read_text())
    return found


def _told(made: Plan) -> dict[str, Any]:
    told: dict[str, Any] = {
        "steps": [_step(step) for step in made.work],
        "kept": {str(step.address): list(step.notes) for step in made.steps if isinstance(step, Keep)},
        "problems": [f"{problem.code}: {problem.detail}" for problem in made.problems],
        "rollouts": {rollout.name: [list(turn) for turn in rollout.turns] for rollout in made.rollouts},
        "moves": [f"{move.origin} → {move.target}" for move in made.moves],
        "found": {str(address): dict(outputs) for address, outputs in made.found.items()},
        "unfinished": [str(address) for address in made.unfinished],
        "outputs_changed": made.outputs_changed,
    }
    return _without_empty(told)


def _step(step: Step) -> Mapping[str, Any]:
    told: dict[str, Any] = {
        "step": f"{step.verb} {step.address}",
        "because": list(step.reasons),
        "after": list(step.after),
        "turn": list(step.turn),
        "consequence": step.consequence,
        "severity": step.severity,
        "generation": step.generation if step.generation > 1 else None,
        "part": step.part,
    }
    for name in ("how", "replaced", "deposed", "replaces", "deposes", "protect", "action", "remote"):
        told[name] = getattr(step, name, None)
    if isinstance(step, Update | Run):
        told["then"] = list(step.then)
    if isinstance(step, Update):
        told["changes"] = [
            f"{path_text(change.path)}: {_value(change.before)} → {_value(change.after)}" for change in step.changes
        ]
    if isinstance(step, Adopt | Update | Check | LookUp):
        told["wanted"] = {name: short(value_view(item)) for name, item in step.wanted.items()}
    return _without_empty({name: told[name] for name in told if name != "wanted" or _shown(step)})


def _shown(step: Step) -> bool:
    """What is wanted is told where it is not simply what the case says."""
    return isinstance(step, Adopt) or bool(step.part)


def _value(value: Any) -> str:
    return "nothing" if value == "\x00absent" else short(value_view(value))


def _without_empty(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in ([], {}, "", None, False)}
