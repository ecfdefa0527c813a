"""The command `prov`."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from provisioner import __version__
from provisioner.cli import session
from provisioner.cli.commands import (
    access,
    apply,
    images,
    import_,
    init,
    keys,
    output,
    plan,
    providers,
    secrets,
    serve,
    state,
    status,
    sweep,
    unlock,
    validate,
    why,
)
from provisioner.errors import Problem, ProvError

_COMMANDS = "prov.commands"


class _Group(TyperGroup):
    """The commands of the core, and behind them those of installed providers, loaded when asked for."""

    def get_command(self, ctx, cmd_name):  # type: ignore[no-untyped-def]
        known = super().get_command(ctx, cmd_name)
        if known is not None:
            return known
        from importlib.metadata import entry_points

        for point in entry_points(group=_COMMANDS, name=cmd_name):
            command = typer.main.get_command(point.load())
            command.name = cmd_name
            return command
        return None

    def list_commands(self, ctx):  # type: ignore[no-untyped-def]
        from importlib.metadata import entry_points

        return [*super().list_commands(ctx), *sorted(point.name for point in entry_points(group=_COMMANDS))]


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    help="One declarative file to healthy Talos Linux clusters, from the power button to the kubeconfig.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        session.data(f"prov {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


for command in (
    init.init,
    validate.validate,
    why.why,
    plan.plan,
    apply.apply,
    apply.destroy,
    status.status,
    access.kubeconfig,
    access.talosconfig,
    output.output,
    providers.providers,
    serve.serve,
    sweep.sweep,
    unlock.unlock,
):
    app.command()(command)
app.command("import")(import_.import_)
app.add_typer(images.app, name="images")
app.add_typer(secrets.app, name="secrets")
app.add_typer(state.app, name="state")
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Runs the command line; whatever goes wrong ends as problems on standard error, never as a traceback.

    A wrong option ends with 1 like every error, for 2 says that a plan has changes.
    """
    _mend_streams()
    try:
        sys.exit(app(standalone_mode=False))
    except typer.Abort:
        session.say("nothing was done")
        sys.exit(session.ERROR)
    except ProvError as err:
        _report(err.problems())
    except BrokenPipeError:
        _drop_output()
        sys.exit(session.ERROR)
    except OSError as err:  # such as a full disk, also behind standard output
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
        if os.environ.get("PROV_DEBUG"):
            raise
        remedy = "see to it, then run the same command again; what was begun is on record"
        _report([Problem("system", "the system does not let prov go on", str(err), remedy=remedy)])
    except Exception as err:
        if show := getattr(err, "show", None):  # an error of the command line itself, which shows its usage
            show()
            sys.exit(session.ERROR)
        if os.environ.get("PROV_DEBUG"):
            raise
        _report(
            [
                Problem(
                    "fault",
                    "a fault inside prov",
                    type(err).__name__,
                    remedy="this is a fault of the tool: please report it, with what PROV_DEBUG=1 shows",
                )
            ]
        )


def _mend_streams() -> None:
    """A stream that is closed swallows, and a locale that lacks a sign of ours shows its number instead."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  (it stays open)
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """What is still in the buffer of standard output cannot be delivered and shall not be tried again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(problems) -> None:  # type: ignore[no-untyped-def]
    from provisioner.render.problems import problems_text
    from provisioner.render.view import problem_view

    if "--json" in sys.argv:
        session.data_json({"problems": [problem_view(problem) for problem in problems]})
    else:
        session.say(problems_text(problems, session.style_err()).rstrip())
    sys.exit(session.ERROR)
