"""What a change in place does to a machine that runs."""

from __future__ import annotations

from provisioner.model.step import Update
from provisioner.model.value import strip_origins


def stops_it(update: Update, *names: str) -> bool:
    """Whether a machine that runs is stopped: its `power` goes, or one of the props `names` differs.

    For kinds with a prop `power`, which is "on" where the machine runs, and takes another word where it does not.
    """
    changed = {str(change.path[0]): change for change in update.changes}
    power = changed.get("power")
    if power is not None:
        return power.before == "on"
    runs = strip_origins(update.wanted.get("power", "on")) == "on"
    return runs and not changed.keys().isdisjoint(names)
