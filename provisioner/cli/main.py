"""The command `prov`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from provisioner import __version__
from provisioner.cli import session
from provisioner.cli.commands import access, apply, init, keys, output, plan, providers, status, validate
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
    plan.plan,
    apply.apply,
    apply.destroy,
    status.status,
    access.kubeconfig,
    access.talosconfig,
    output.output,
    providers.providers,
):
    app.command()(command)
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Runs the command line; whatever goes wrong ends as problems on standard error, never as a traceback.

    A wrong option ends with 1 like every error, for 2 says that a plan has changes.
    """
    try:
        sys.exit(app(standalone_mode=False))
    except typer.Abort:
        session.say("nothing was done")
        sys.exit(session.ERROR)
    except ProvError as err:
        _report(err.problems())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(session.ERROR)
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


def _report(problems) -> None:  # type: ignore[no-untyped-def]
    from provisioner.render.problems import problems_text
    from provisioner.render.view import problem_view

    if "--json" in sys.argv:
        session.data_json({"problems": [problem_view(problem) for problem in problems]})
    else:
        session.say(problems_text(problems, session.style_err()).rstrip())
    sys.exit(session.ERROR)
