"""A plan as text, drawn from its JSON view."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
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
_PLAIN_REASONS = (
    "not there yet",
    "it is there already",
    "not passed yet",
    "the cluster is destroyed",
    "a later generation has taken its place",
    "must hold before the first one is touched",
    "must hold before it is interrupted",
    "must hold before the next one has its turn",
)
_NOT_COMPARED = "secrets were not compared: no identity"
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
    groups = _groups(view["steps"])
    if not groups and not view["moves"] and not view["outputs_changed"]:
        found = "there" if view["refreshed"] else "on record"
        why = "Nothing is on record." if view["destroys"] else f"What is {found} is what the file says."
        yield f"{view['cluster']}: no changes. {why}"
    else:
        what = "Plan to destroy" if view["destroys"] else "Plan for"
        yield style.bold(f"{what} {view['cluster']}: {_counted(view)}")
        yield ""
        yield from (f"  {move['from']} → {move['to']}  (moved)" for move in view["moves"])
        for group in groups:
            yield from _group_lines(group, style)
        yield ""
        yield from (f"{_rollout_text(rollout)}." for rollout in view["rollouts"])
    if view["outputs_changed"]:
        yield f"Outputs that change: {', '.join(view['outputs']) or 'all go'}"
    yield from _notes(view["steps"])


def _groups(steps: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The steps shown, those that change one resource in place together where the first of them stands.

    A replacement shows as one step: its removal is told with its creation.
    """
    removals = {step["address"]: step for step in steps if step.get("replaced", False)}
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        if step["verb"] == "keep" or step.get("replaced", False):
            continue
        together = step["verb"] in ("adopt", "update", "run")
        groups.setdefault(step["address"] if together else step["id"], []).append(_with_removal(step, removals))
    return list(groups.values())


def _with_removal(step: Mapping[str, Any], removals: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A replacement with the manner and the consequence of its removal, which is among those by address.

    How the new one comes to be stands behind them.
    """
    if not step.get("replaces", False):
        return step
    removal = removals[step["address"]]
    told = "; ".join(part for part in (removal["consequence"], step["consequence"]) if part)
    return {**step, "how": removal["how"], "consequence": told}


def _notes(steps: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What has to be known of what is kept; one and the same thing is told once."""
    notes = [(step["address"], note) for step in steps for note in step.get("notes", ())]
    if any(note == _NOT_COMPARED for _, note in notes):
        yield f"  ! {_NOT_COMPARED}"
    yield from (f"  ! {address}: {note}" for address, note in notes if _worth(note))


def _worth(note: str) -> bool:
    return note.startswith("unknown") or "was still to be done" in note


def _rollout_text(rollout: Mapping[str, Any]) -> str:
    budget, goes_back = rollout["failure_budget"], rollout["on_failure"] == "rollback"
    told = [rollout["reason"]]
    if budget:
        told.append(f"{budget} may fail")
    if goes_back:
        told.append(f"if one {'more ' if budget else ''}fails, those changed go back")
    held = len(rollout["turns"]) > rollout["max_unavailable"]
    return f"{'In turns' if held else 'At once'}: {'; '.join(told)}"


def _counted(view: Mapping[str, Any]) -> str:
    told = [f"{len(view['moves'])} to move"] if view["moves"] else []
    told += [f"{count} to {verb}" for verb, count in view["counts"].items() if count]
    return ", ".join(told) or "only outputs change"


def _group_lines(group: list[Mapping[str, Any]], style: Style) -> Iterator[str]:
    """A step; several of one resource stand below a line that tells why, or below its adoption."""
    first, *others = group
    if first["verb"] == "adopt" or not others:
        yield from _step_lines(first, style)
    else:
        yield style.paint(f"  {SIGNS['update']} {first['address']}", _COLOURS["update"]) + f"  ({len(group)} steps)"
        yield from _because(first, 6)
        others = group
    for step in others:
        told = {**step, "reasons": [reason for reason in step["reasons"] if reason not in group[0]["reasons"]]}
        yield from _part_lines(told, style)


def _step_lines(step: Mapping[str, Any], style: Style) -> Iterator[str]:
    verb = "replace" if step.get("replaces") else step["verb"]
    tail = _tail(step)
    yield style.paint(f"  {SIGNS[verb]} {step['address']}", _COLOURS.get(verb, "")) + (f"  ({tail})" if tail else "")
    yield from _because(step, 6)
    yield from _changes(step, 6)


def _part_lines(step: Mapping[str, Any], style: Style) -> Iterator[str]:
    consequence = f"  ({step['consequence']})" if step["consequence"] else ""
    name = step["part"] or step["verb"]
    yield "      " + style.paint(f"{SIGNS[step['verb']]} {name}", _COLOURS.get(step["verb"], "")) + consequence
    yield from _because(step, 10)
    yield from _changes(step, 10)


def _tail(step: Mapping[str, Any]) -> str:
    """What goes into brackets behind an address."""
    manner = ": ".join(part for part in (step.get("how", ""), step["consequence"]) if part)
    match step:
        case {"verb": "create", "deposes": True}:
            told = "the new one first"
        case {"verb": "delete", "deposed": True}:
            told = "an earlier generation"
        case {"verb": "adopt", "remote": str() as remote}:
            told = remote
        case {"verb": "run", "action": str() as action}:
            told = action
        case {"verb": "read"}:
            told = "known after apply"
        case _:
            told = step["part"]
    return "; ".join(part for part in (told, manner) if part)


def _because(step: Mapping[str, Any], indent: int) -> Iterator[str]:
    weight = f" ({step['severity']})" if step.get("severity") else ""
    yield from (
        f"{' ' * indent}because {reason}{weight}" for reason in step["reasons"] if reason not in _PLAIN_REASONS
    )


def _changes(step: Mapping[str, Any], indent: int) -> Iterator[str]:
    changes = step.get("changes", [])
    yield from (f"{' ' * indent}{_change_text(change)}" for change in changes[:_MAX_CHANGES])
    if len(changes) > _MAX_CHANGES:
        yield f"{' ' * indent}… and {len(changes) - _MAX_CHANGES} more, see --json"


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
