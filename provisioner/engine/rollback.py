"""Members of a failed rollout on their way back to what was on record before the run."""

from __future__ import annotations

from attrs import define, field

from provisioner.engine.walk import Walk
from provisioner.model.address import Address
from provisioner.model.rollout import Rollout
from provisioner.model.state import Entry, Records
from provisioner.model.step import Step, Update


@define
class Rollbacks:
    """Adds the steps back to those of a run, one after the other, the last member first.

    A run that is cut off on the way leaves updates in flight with the old values, which settling finishes; then the
    file is compared again.
    """

    steps: dict[str, Step]
    _before: dict[Address, Entry] = field(factory=dict)

    def remember(self, step: Step, records: Records) -> None:
        """Keeps what is on record of an object that is about to be changed for the first time."""
        entry = records.entries.get(step.address)
        if isinstance(step, Update) and entry is not None and entry.applied:
            self._before.setdefault(step.address, entry)

    def add(self, rollout: Rollout, walk: Walk) -> dict[str, tuple[str, str]]:
        """The names of the steps that were added for a rollout that has come to rest."""
        if rollout.on_failure != "rollback":
            return {}
        names: dict[str, tuple[str, str]] = {}
        last = ""
        touched = (self.steps[id_].address for turn in reversed(rollout.turns) for id_ in reversed(turn))
        for address in dict.fromkeys(touched):
            if address not in self._before:
                continue
            step = _back(self._before[address])
            self.steps[step.id] = step
            walk.add({step.id: (last,)}, {})
            names[step.id] = (step.verb, str(step.address))
            last = step.id
        return names


def _back(entry: Entry) -> Update:
    return Update(
        address=entry.address,
        provider=entry.provider,
        generation=entry.generation,
        part="rollback",
        reasons=("its rollout failed",),
        wanted=entry.applied,
        changes=(),
        depends_on=entry.depends_on,
        protect=entry.protect,
    )
