"""What a sweep found and removed, for people and machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from attrs import asdict

from provisioner.errors import ProvError
from provisioner.model.owned import Owned
from provisioner.render.table import columns
from provisioner.render.view import problem_view


class LeftoverRow(Protocol):
    """What a line of the list needs."""

    @property
    def instance(self) -> str: ...
    @property
    def owned(self) -> Owned: ...


class OthersRow(Protocol):
    """What a line about another state needs."""

    @property
    def lineage(self) -> str: ...
    @property
    def clusters(self) -> tuple[str, ...]: ...
    @property
    def count(self) -> int: ...


class FoundView(Protocol):
    """What a search found."""

    @property
    def leftovers(self) -> Sequence[LeftoverRow]: ...
    @property
    def on_record(self) -> int: ...
    @property
    def others(self) -> Sequence[OthersRow]: ...
    @property
    def unasked(self) -> Mapping[str, str]: ...


class SweptView(Protocol):
    """What became of it."""

    @property
    def removed(self) -> Sequence[LeftoverRow]: ...
    @property
    def failed(self) -> Mapping[Any, ProvError]: ...


def leftovers_table(leftovers: Iterable[LeftoverRow]) -> str:
    """One line per object."""
    head = ("KIND", "ID", "ADDRESS", "CLUSTER", "LINEAGE", "PROVIDER")
    rows = [
        (one.owned.kind, one.owned.id, one.owned.address, one.owned.cluster, one.owned.lineage, one.instance)
        for one in leftovers
    ]
    return columns([head, *rows])


def others_lines(others: Iterable[OthersRow]) -> list[str]:
    """A sentence per state that is not ours."""
    return [
        f"{one.count} more belong to another state: lineage {one.lineage}"
        + (f", cluster {', '.join(one.clusters)}" if one.clusters else "")
        for one in others
    ]


def sweep_view(found: FoundView, swept: SweptView | None) -> dict[str, Any]:
    """All of it as plain data."""
    return {
        "leftovers": [_row(one) for one in found.leftovers],
        "on_record": found.on_record,
        "others": [
            {"lineage": one.lineage, "clusters": list(one.clusters), "count": one.count} for one in found.others
        ],
        "unasked": dict(found.unasked),
        "removed": [_row(one) for one in swept.removed] if swept is not None else [],
        "failed": [{**_row(one), "error": problem_view(err.problems()[0])} for one, err in swept.failed.items()]
        if swept is not None
        else [],
    }


def _row(one: LeftoverRow) -> dict[str, str]:
    return {"provider": one.instance, **asdict(one.owned)}
