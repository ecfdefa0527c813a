"""Kinds for plans only, which show what the toys do not: every ability at once, and an ability gone wrong.

Nothing here is ever called but what is pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve, field, frozen

from provisioner.sdk import (
    Address,
    Answer,
    AnyKind,
    Context,
    Erasure,
    FieldChange,
    Job,
    Reading,
    Run,
    Unreachable,
    Update,
    output,
    prop,
)


@frozen
class HostProps:
    """`address` is the same in capitals; `version` goes up one at a time, with the host drained meanwhile."""

    name: str = prop(immutable=True)
    address: str = prop(same_as=str.lower, default="")
    version: int = prop(default=1)
    tags: Mapping[str, Any] = field(factory=dict)


@frozen
class HostOutputs:
    """`revision` counts the changes in place."""

    id: str = output()
    address: str = output(default="")
    revision: int = output(volatile=True, default=1)


class HostKind:
    """A host with every ability that a plan can ask for."""

    props: ClassVar[type[Any]] = HostProps
    outputs: ClassVar[type[Any]] = HostOutputs

    def read(self, client: Any, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        raise NotImplementedError

    def create(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        raise NotImplementedError

    def update(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        raise NotImplementedError

    def delete(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        raise NotImplementedError

    def run(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        raise NotImplementedError

    def find(self, client: Any, ids: Sequence[str], ctx: Context) -> Mapping[str, Reading]:
        raise NotImplementedError

    def adopt(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        raise NotImplementedError

    def how(self, address: Address, going: frozenset[Address], reading: Reading | None) -> tuple[str, str]:
        return "", ""

    def erasure(self, props: Mapping[str, Any], how: str, reading: Reading | None) -> Erasure | None:
        """The disks among its tags, while it can be reached."""
        disks = tuple(props.get("tags", {}).get("disks", ()))
        obstacle = reading.reason if isinstance(reading, Unreachable) else ""
        return Erasure(disks, obstacle, "what it can") if disks else None

    def expand(self, update: Update) -> Sequence[Update | Run]:
        """Drain, up by one, and so on; back into service at the end. What else changes comes with the last."""
        hops = next((_hops(change) for change in update.changes if change.path == ("version",)), ())
        steps: list[Update | Run] = []
        for version in hops:
            last = version == hops[-1]
            wanted = update.wanted if last else {**update.wanted, "version": version}
            steps.append(_run(update, f"drain-{version}", "drain"))
            steps.append(evolve(update, part=str(version), wanted=wanted, reasons=(f"by way of {version}",)))
        return [*steps, _run(update, "uncordon", "uncordon")] if hops else [update]


class ClumsyKind(HostKind):
    """A host whose upgrade calls two steps by one name."""

    def expand(self, update: Update) -> Sequence[Update | Run]:
        return [_run(update, "drain", "drain"), _run(update, "drain", "drain"), update]


def _hops(change: FieldChange) -> Sequence[int]:
    assert isinstance(change.before, int)
    assert isinstance(change.after, int)
    return range(change.before + 1, change.after + 1)


def _run(update: Update, part: str, action: str) -> Run:
    return Run(address=update.address, provider=update.provider, part=part, action=action)


KINDS: Mapping[str, AnyKind] = {"toy.host": HostKind(), "toy.clumsy": ClumsyKind()}
