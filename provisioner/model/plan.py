"""The plan: what apply will do, all of it and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from provisioner.errors import Problem
from provisioner.model.address import Address
from provisioner.model.rollout import Rollout
from provisioner.model.state import Move
from provisioner.model.step import Create, Delete, Keep, Step
from provisioner.model.value import Value


@frozen
class Base:
    """What the plan was made from; apply refuses it when that has moved under what the plan touches."""

    lineage: str
    serial: int
    spec_digest: str
    providers: Mapping[str, str]
    """Version of each provider type that was used."""


@frozen
class ProviderUse:
    """A provider instance of the file: its type and its settings, which may hold references."""

    name: str
    type: str
    settings: Mapping[str, Value]


@frozen
class Plan:
    """Steps with edges, in an order in which they can run.

    Three separate truths: `empty` (nothing to do), `blocked` (must not be applied, see `problems`), and
    whatever `unfinished` lists: entries an interrupted run left in flight, which apply settles first.
    `rollouts` are those that hold steps of this plan back, `moves` the entries that get another address first, and
    `found` what lookups answered while planning. `refreshed` is false where nothing was read, and what is on record
    was taken for what is there.
    """

    cluster: str
    steps: tuple[Step, ...]
    base: Base
    providers: Mapping[str, ProviderUse]
    destroys: bool = False
    refreshed: bool = True
    rollouts: tuple[Rollout, ...] = ()
    problems: tuple[Problem, ...] = ()
    unfinished: tuple[Address, ...] = ()
    bindings: Mapping[str, str] = field(factory=dict)
    outputs: Mapping[str, Value] = field(factory=dict)
    outputs_changed: bool = False
    moves: tuple[Move, ...] = ()
    found: Mapping[Address, Mapping[str, Value]] = field(factory=dict)

    @property
    def work(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(step for step in self.steps if not isinstance(step, Keep))

    @property
    def empty(self) -> bool:
        return not (self.work or self.outputs_changed or self.unfinished or self.moves)

    @property
    def blocked(self) -> bool:
        return bool(self.problems)

    def count(self) -> dict[str, int]:
        """Steps by verb; a replacement counts once, under `replace`."""
        counts = dict.fromkeys(_COUNTED, 0)
        for step in self.work:
            match step:
                case Create(replaces=True):
                    counts["replace"] += 1
                case Delete(replaced=True):
                    pass
                case _:
                    counts[step.verb] += 1
        return counts


_COUNTED = ("create", "adopt", "update", "replace", "delete", "run", "check", "read", "forget")
