"""`prov unlock`."""

from __future__ import annotations

from provisioner.cli import options, session


def unlock(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    yes: options.YesOption = False,
    json: options.JsonOption = False,
) -> None:
    """Clear the name that a run left on the state when it was cut off; refused while it may be at work.

    It is never needed to go on: the lock goes with its process, and the next run takes over by itself.
    """
    from attrs import asdict

    from provisioner.workflow.state import left_over
    from provisioner.workflow.state import unlock as workflow

    store = session.state(file, state, var)
    holder = left_over(store)
    if holder is not None:
        session.say(f"{holder} was cut off; nothing holds the lock now")
        session.ask("Clear it, so that its right to write is void?", yes=yes, first="prov state runs")
        workflow(store, session.world())
    if json:
        session.data_json({"cleared": None if holder is None else asdict(holder)})
    elif holder is None:
        session.say("there is nothing to unlock: no run is at work, and none was cut off")
    else:
        session.say("cleared; what it began is on record, and the next apply goes on with it")
