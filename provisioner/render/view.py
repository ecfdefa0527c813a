"""A plan as plain data: the public JSON form, from which the text is drawn too.

Values keep their marks: `{"$secret": true}`, `{"$unknown": "waits for"}`, `{"$ref": "kind/name.output"}` and
`{"$call": "function"}` stand where a secret, an unknown, a reference or a computed value stands. A key that
itself begins with `$` has it doubled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.errors import Place, Problem
from provisioner.model.plan import Plan
from provisioner.model.rollout import Rollout
from provisioner.model.step import (
    ABSENT,
    Adopt,
    Check,
    Create,
    Delete,
    FieldChange,
    Forget,
    Keep,
    LookUp,
    Run,
    Step,
    Update,
)
from provisioner.model.value import Call, Path, Ref, Secret, Sourced, Unknown, Value

SCHEMA = 1
"""Number of the JSON form; it grows when something is taken away or changes its meaning."""


def plan_view(plan: Plan) -> dict[str, Any]:
    """The whole plan."""
    return {
        "schema": SCHEMA,
        "cluster": plan.cluster,
        "destroys": plan.destroys,
        "refreshed": plan.refreshed,
        "empty": plan.empty,
        "blocked": plan.blocked,
        "counts": plan.count(),
        "problems": [problem_view(problem) for problem in plan.problems],
        "unfinished": [str(address) for address in plan.unfinished],
        "moves": [{"from": str(move.origin), "to": str(move.target)} for move in plan.moves],
        "found": {str(address): value_view(outputs) for address, outputs in plan.found.items()},
        "steps": [_step(step) for step in plan.steps],
        "rollouts": [_rollout(rollout) for rollout in plan.rollouts],
        "outputs": {name: value_view(value) for name, value in plan.outputs.items()},
        "outputs_changed": plan.outputs_changed,
        "base": {
            "lineage": plan.base.lineage,
            "serial": plan.base.serial,
            "spec_digest": plan.base.spec_digest,
            "providers": dict(plan.base.providers),
        },
    }


def problem_view(problem: Problem) -> dict[str, Any]:
    """A problem; `place` is empty where there is none."""
    return {
        "code": problem.code,
        "summary": problem.summary,
        "detail": problem.detail,
        "place": place_view(problem.place),
        "remedy": problem.remedy,
    }


def place_view(place: Place) -> dict[str, Any]:
    """Only what is known of a place."""
    known = {"file": place.file, "line": place.line, "column": place.column, "address": place.address}
    return {name: value for name, value in known.items() if value}


def value_view(value: Value) -> Any:
    """A value as plain data, its marks as one-key mappings."""
    match value:
        case Secret():
            return {"$secret": True}
        case Unknown(why):
            return {"$unknown": why}
        case Ref(to, output):
            return {"$ref": f"{to}.{output}"}
        case Call(fn):
            return {"$call": fn}
        case Sourced(inner):
            return value_view(inner)
        case Mapping():
            return {f"${key}" if key.startswith("$") else key: value_view(item) for key, item in value.items()}
        case tuple():
            return [value_view(item) for item in value]
        case _:
            return value


def path_text(path: Path) -> str:
    """`documents[0].machine.sysctls`, with keys quoted that are no plain words."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def _rollout(rollout: Rollout) -> dict[str, Any]:
    return {
        "name": rollout.name,
        "reason": rollout.reason,
        "max_unavailable": rollout.max_unavailable,
        "failure_budget": rollout.failure_budget,
        "on_failure": rollout.on_failure,
        "members": [str(member) for member in rollout.members],
        "turns": [list(turn) for turn in rollout.turns],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "verb": step.verb,
        "address": str(step.address),
        "part": step.part,
        "provider": step.provider,
        "generation": step.generation,
        "reasons": list(step.reasons),
        "consequence": step.consequence,
        "after": sorted((*step.after, *step.turn)),
        "turn": list(step.turn),
        **({"severity": step.severity} if step.severity else {}),
        **_particulars(step),
    }


def _particulars(step: Step) -> dict[str, Any]:
    """What only steps of its verb have."""
    match step:
        case Create():
            return {"replaces": step.replaces, "deposes": step.deposes, "wanted": value_view(step.wanted)}
        case Adopt():
            return {"remote": step.remote, "wanted": value_view(step.wanted)}
        case Update():
            return {"changes": [_change(change) for change in step.changes], "then": list(step.then)}
        case Run():
            return {"action": step.action, "then": list(step.then)}
        case Delete():
            return {"how": step.how, "replaced": step.replaced, "deposed": step.deposed}
        case Check() | LookUp():
            return {"wanted": value_view(step.wanted)}
        case Keep():
            return {"notes": list(step.notes)}
        case Forget():
            return {}


def _change(change: FieldChange) -> dict[str, Any]:
    view: dict[str, Any] = {"path": path_text(change.path)}
    if change.before != ABSENT:
        view["before"] = value_view(change.before)
    if change.after != ABSENT:
        view["after"] = value_view(change.after)
    if change.origin is not None:
        view["origin"] = str(change.origin)
    return view
