"""A plan as text, drawn from its JSON view."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from provisioner.render.style import Style

SIGNS = {
    "create": "+",
    "adopt": "^",
    "update": "~",
    "replace": "±",
    "delete": "-",
    "run": "!",
    "check": "?",
    "read": "=",
    "forget": "×",
    "keep": " ",
}
_COLOURS = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red", "check": "cyan"}
_PLAIN_REASONS = ("not there yet", "not passed yet", "the cluster is destroyed")
_MAX_CHANGES = 40
_WIDTH = 60


def plan_text(view: Mapping[str, Any], style: Style) -> str:
    """The plan for people; reads well without colour."""
    return "\n".join(_lines(view, style)) + "\n"


def outputs_text(views: Mapping[str, Any]) -> str:
    """Outputs by name, one in a line; empty where there are none."""
    return "".join(f"{name} = {short(view)}\n" for name, view in views.items())


def _lines(view: Mapping[str, Any], style: Style) -> Iterator[str]:
    if not view["refreshed"]:
        yield "Nothing was read: what is on record is taken for what is there."
        yield ""
    if view["unfinished"]:
        yield style.bold("An earlier run was cut off. Apply first finishes, as it was begun:")
        yield from (f"  {address}" for address in view["unfinished"])
        yield "What follows may get smaller by that."
        yield ""
    found = "there" if view["refreshed"] else "on record"
    removals = {step["address"]: step for step in view["steps"] if step.get("replaced", False)}
    steps = [_with_removal(step, removals) for step in view["steps"] if _shown(step)]
    if not steps and not view["outputs_changed"]:
        why = "Nothing is on record." if view["destroys"] else f"What is {found} is what the file says."
        yield f"{view['cluster']}: no changes. {why}"
    else:
        what = "Plan to destroy" if view["destroys"] else "Plan for"
        yield style.bold(f"{what} {view['cluster']}: {_counted(view['counts'])}")
        yield ""
        for step in steps:
            yield from _step_lines(step, style)
        yield ""
        yield from (f"In turns: {rollout['reason']}." for rollout in view["rollouts"])
    if view["outputs_changed"]:
        yield f"Outputs that change: {', '.join(view['outputs']) or 'all go'}"
    notes = [(step["address"], note) for step in view["steps"] for note in step.get("notes", ()) if _worth(note)]
    for address, note in notes:
        yield f"  ! {address}: {note}"


def _shown(step: Mapping[str, Any]) -> bool:
    """A replacement shows as one step: its removal is told with its creation."""
    return step["verb"] != "keep" and not step.get("replaced", False)


def _with_removal(step: Mapping[str, Any], removals: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A replacement with the manner and the consequence of its removal, which is among those by address."""
    if not step.get("replaces", False):
        return step
    removal = removals[step["address"]]
    return {**step, "how": removal["how"], "consequence": removal["consequence"]}


def _worth(note: str) -> bool:
    return note.startswith("unknown")


def _counted(counts: Mapping[str, int]) -> str:
    told = [f"{count} to {verb}" for verb, count in counts.items() if count]
    return ", ".join(told) or "only outputs change"


def _step_lines(step: Mapping[str, Any], style: Style) -> Iterator[str]:
    verb = "replace" if step.get("replaces") else step["verb"]
    head = f"  {SIGNS[verb]} {step['address']}"
    extra = step.get("how", "") or ""
    tail = ": ".join(part for part in (extra, step["consequence"]) if part)
    yield style.paint(head, _COLOURS.get(verb, "")) + (f"  ({tail})" if tail else "")
    yield from (f"      because {reason}" for reason in step["reasons"] if reason not in _PLAIN_REASONS)
    changes = step.get("changes", [])
    for change in changes[:_MAX_CHANGES]:
        yield f"      {_change_text(change)}"
    if len(changes) > _MAX_CHANGES:
        yield f"      … and {len(changes) - _MAX_CHANGES} more, see --json"


def _change_text(change: Mapping[str, Any]) -> str:
    origin = f"   ({change['origin']})" if "origin" in change else ""
    if "before" not in change:
        return f"+ {change['path']}: {short(change['after'])}{origin}"
    if "after" not in change:
        return f"- {change['path']}: {short(change['before'])}"
    return f"~ {change['path']}: {short(change['before'])} → {short(change['after'])}{origin}"


def short(value: Any) -> str:
    """A value in at most a line."""
    match value:
        case {"$secret": True}:
            return "(secret)"
        case {"$unknown": _}:
            return "(known after apply)"
        case {"$ref": str() as ref}:
            return f"${{{ref}}}"
        case {"$call": _}:
            return "(computed)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
