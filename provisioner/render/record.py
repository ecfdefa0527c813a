"""What is on record, for people and machines; a secret shows as one and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import asdict

from provisioner.model.state import Entry, RunRecord, State
from provisioner.render.table import columns
from provisioner.render.text import short
from provisioner.render.view import path_text, value_view

_VALUES = ("intended", "applied", "outputs")


def entry_line(entry: Entry) -> dict[str, Any]:
    """An entry in the few words of a list."""
    return {
        "address": str(entry.address),
        "generation": entry.generation,
        "status": entry.status.value,
        "deposed": entry.deposed,
        "id": entry.id,
        "provider": entry.provider,
        "protect": entry.protect,
        "error": entry.error,
        "serial": entry.serial,
    }


def entry_view(entry: Entry) -> dict[str, Any]:
    """All that is on record about one object."""
    return {
        **entry_line(entry),
        "key": entry.key,
        "phase": entry.phase,
        "memo": dict(entry.memo),
        "how": entry.how,
        "owed": list(entry.owed),
        "silent": entry.silent,
        "depends_on": [str(address) for address in entry.depends_on],
        **{name: value_view(getattr(entry, name)) for name in _VALUES},
    }


def in_order(state: State) -> list[Entry]:
    """Every entry by address, what it stands for now before its deposed ones."""
    return sorted(
        (*state.entries.values(), *state.deposed.values()), key=lambda e: (e.address, e.deposed, e.generation)
    )


def entries_table(listed: Iterable[Entry]) -> str:
    """One line per entry."""
    head = ("ADDRESS", "GENERATION", "STATUS", "ID", "NOTE")
    rows = [(str(e.address), str(e.generation), e.status.value, e.id or "", _note(e)) for e in listed]
    return columns([head, *rows])


def entry_text(entry: Entry) -> str:
    """One entry, a line per thing said; what is empty is left out."""
    return "".join(f"{line}\n" for line in _entry_lines(entry))


def _entry_lines(entry: Entry) -> Iterator[str]:
    view = entry_view(entry)
    yield f"{view['address']}, generation {entry.generation}{' (deposed)' if entry.deposed else ''}"
    for name in ("status", "provider", "id", "key", "phase", "how", "silent", "error", "serial"):
        if view[name]:
            yield f"  {name}: {view[name]}"
    if entry.protect:
        yield "  protected"
    for name in ("owed", "depends_on"):
        if view[name]:
            yield f"  {name.replace('_', ' ')}: {', '.join(view[name])}"
    for name in ("memo", *_VALUES):
        if view[name]:
            yield f"  {name}:"
            yield from (f"    {path_text(path)}: {short(leaf)}" for path, leaf in _leaves(view[name]))


def runs_view(runs: Iterable[RunRecord]) -> list[dict[str, Any]]:
    """The history for machines."""
    return [asdict(run) for run in runs]


def runs_table(runs: Sequence[RunRecord]) -> str:
    """One line per run, newest first."""
    head = ("SINCE", "UNTIL", "DOING", "BY", "OUTCOME", "SUMMARY")
    return columns([head, *((r.since, r.until, r.doing, f"{r.who}@{r.host}", r.outcome, r.summary) for r in runs)])


def _note(entry: Entry) -> str:
    told = [
        "deposed" if entry.deposed else "",
        "protected" if entry.protect else "",
        f"owed: {', '.join(entry.owed)}" if entry.owed else "",
        f"unknown since {entry.silent}" if entry.silent else "",
        entry.error,
    ]
    return "; ".join(part for part in told if part)


def _leaves(view: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The leaves of a view; what is marked or empty counts as one."""
    if isinstance(view, Mapping) and view and not any(key.startswith("$") for key in view):
        for key, item in view.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(view, list) and view:
        for index, item in enumerate(view):
            yield from _leaves(item, (*path, index))
    else:
        yield path, view
