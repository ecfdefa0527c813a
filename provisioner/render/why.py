"""Where values come from, as text and as plain data.

machine.sysctls.vm.max_map_count
  "300000"   control-1
    set at patches/control.yaml:4
    instead of "262144", set at patches/all.yaml:4
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from provisioner.cluster.why import Answer, Setting
from provisioner.render.style import Style
from provisioner.render.text import short
from provisioner.render.view import value_view

SCHEMA = 1
"""Number of the JSON form; it grows when something is taken away or changes its meaning."""


_MANY = 8


def why_view(path: str, contract: str, answers: Sequence[Answer]) -> dict[str, Any]:
    """The answers as plain data; see `docs/reference/why-json.md`."""
    return {"schema": SCHEMA, "path": path, "contract": contract, "answers": [_view(answer) for answer in answers]}


def why_text(answers: Sequence[Answer], style: Style) -> str:
    """The answers for people; reads well without colour."""
    lines: list[str] = []
    for path, group in groupby(answers, key=lambda answer: answer.path):
        lines.append(style.bold(path))
        for answer in group:
            lines += _lines(answer)
    return "\n".join(lines) + "\n"


def _lines(answer: Answer) -> Iterator[str]:
    nodes = _some(answer.nodes)
    if answer.now is None:
        yield f"  (taken away)   {nodes}"
        yield f"    by {answer.gone}"
    else:
        yield f"  {_value(answer.now)}   {nodes}"
        yield f"    {_source(answer.now)}"
    yield from (f"    instead of {_value(setting)}, {_source(setting)}" for setting in answer.before)


def _some(names: Sequence[str]) -> str:
    """The names; of many only the first ones, for all of them are in the JSON form."""
    return (
        ", ".join(names)
        if len(names) <= _MANY
        else f"{', '.join(names[: _MANY - 1])} and {len(names) - _MANY + 1} more"
    )


def _value(setting: Setting) -> str:
    return short(value_view(setting.value))


def _source(setting: Setting) -> str:
    return setting.rule if setting.origin is None else f"set at {setting.origin}"


def _view(answer: Answer) -> dict[str, Any]:
    now = {"gone": str(answer.gone)} if answer.now is None else _setting(answer.now)
    return {
        "path": answer.path,
        "nodes": list(answer.nodes),
        **now,
        "instead_of": [_setting(setting) for setting in answer.before],
    }


def _setting(setting: Setting) -> dict[str, Any]:
    where = {"rule": setting.rule} if setting.origin is None else {"origin": str(setting.origin)}
    return {"value": value_view(setting.value), **where}
