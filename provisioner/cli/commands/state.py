"""`prov state`."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options, session

app = typer.Typer(no_args_is_help=True, help="What is on record, and corrections to it.")

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="Such as sim.machine/control-1.")]


@app.command("list")
def list_(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """List what is on record: status and generation of every object, deposed ones too."""
    from provisioner.render.record import entries_table, entry_line, in_order
    from provisioner.workflow.state import look

    entries = in_order(look(session.state(file, state, var)))
    if json:
        session.data_json([entry_line(entry) for entry in entries])
    elif entries:
        session.data(entries_table(entries))
    else:
        session.say("nothing is on record")


@app.command()
def show(
    address: AddressArgument,
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Show all that is on record under an address; secrets show as (secret)."""
    from provisioner.render.record import entry_text, entry_view
    from provisioner.workflow.state import find, look

    found = find(look(session.state(file, state, var)), address)
    current = () if found.current is None else (found.current,)
    if json:
        view = entry_view(found.current) if found.current is not None else None
        session.data_json({"current": view, "deposed": [entry_view(entry) for entry in found.deposed]})
    else:
        session.data("\n".join(entry_text(entry) for entry in (*current, *found.deposed)))


@app.command()
def mv(
    origin: Annotated[str, typer.Argument(metavar="FROM", help="The address on record.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The address it gets; it must be free.")],
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Give what is on record another address. The object itself is not touched; rename it in the file too."""
    from provisioner.workflow.state import move

    move(session.state(file, state, var), session.world(), origin, target)
    if json:
        session.data_json({"moved": {"from": origin, "to": target}})
    else:
        session.say(f"{origin} is {target} from now on")


@app.command()
def rm(
    address: AddressArgument,
    generation: Annotated[
        int | None, typer.Option("--generation", help="Which one, where there are deposed ones too.")
    ] = None,
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    yes: options.YesOption = False,
    json: options.JsonOption = False,
) -> None:
    """Take an object off the record. The object itself stays where it is, and prov no longer knows it."""
    from provisioner.render.record import entry_line
    from provisioner.workflow.state import find, forget, look, made_after, one_of

    store = session.state(file, state, var)
    known = look(store)
    entry = one_of(find(known, address), generation)
    called = f"{address} (generation {entry.generation}, {f'id {entry.id}' if entry.id else 'no id yet'})"
    session.say(f"{called} is taken off the record; the object itself stays, and nobody looks after it any more")
    if not entry.deposed and (others := made_after(known, entry.address)):
        session.say(f"made after it: {', '.join(map(str, others))}")
    session.ask("Forget it?", yes=yes, first=f"prov state show {address}")
    forget(store, session.world(), entry)
    if json:
        session.data_json({"forgotten": entry_line(entry)})
    else:
        session.say(f"{address} is forgotten")


@app.command()
def pull(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    out: options.OutOption = None,
) -> None:
    """Print the whole state as JSON, its secrets as sealed as they lie there.

    It is good for reading, for comparing two moments, and for keeping beside the state: with the identity, everything
    can be got out of it. No command reads it back; to restore a state, keep a copy of its file.
    """
    import json

    from provisioner.workflow.files import write_private

    text = json.dumps(session.state(file, state, var).pull(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if out is None:
        session.data(text)
    else:
        write_private(out, text.encode())
        session.say(f"written to {out}")


@app.command()
def runs(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Show the history, the newest run first. One without an outcome goes on, or was cut off."""
    from provisioner.render.record import runs_table, runs_view

    history = session.state(file, state, var).runs()
    if json:
        session.data_json(runs_view(history))
    elif history:
        session.data(runs_table(history))
    else:
        session.say("no run is on record")
