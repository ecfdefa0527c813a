"""`prov sim`: what the simulator holds, faults on demand, and its end."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
import yaml

from prov_sim.control import Control, ControlError

app = typer.Typer(help="Look into the simulator, disturb it, stop it.", no_args_is_help=True, add_completion=False)
fault = typer.Typer(help="Make something go wrong.", no_args_is_help=True)
app.add_typer(fault, name="fault")

Daemon = Annotated[str, typer.Option("--daemon", metavar="NAME", help="Which daemon; the provider block names it.")]
MachineName = Annotated[str, typer.Argument(metavar="MACHINE", help="Name, GROUP/NAME or id of a machine.")]


@app.command("list")
def list_world(
    daemon: Daemon = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
) -> None:
    """Show what exists."""
    world = _ask(daemon, "show", quiet=True)
    if as_json:
        typer.echo(json.dumps(world or {"machines": [], "balancers": [], "clusters": []}, indent=2))
    elif not world:
        typer.echo(f"no daemon {daemon!r} runs, so nothing exists")
    else:
        typer.echo("\n".join(_table(world)))


@app.command()
def stop(daemon: Daemon = "default") -> None:
    """Stop the daemon; everything it holds is gone."""
    try:
        stopped = Control.named(daemon).stop()
    except ControlError as err:
        typer.echo(f"error: {err}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"the daemon {daemon!r} has stopped" if stopped else f"no daemon {daemon!r} runs")


@fault.command()
def on(machine: MachineName, daemon: Daemon = "default") -> None:
    """Switch a machine on."""
    _tell(_ask(daemon, "power", machine=machine, action="on"))


@fault.command()
def off(machine: MachineName, daemon: Daemon = "default") -> None:
    """Cut a machine's power."""
    _tell(_ask(daemon, "power", machine=machine, action="off"))


@fault.command()
def die(machine: MachineName, daemon: Daemon = "default") -> None:
    """Cut a machine's power for good."""
    _tell(_ask(daemon, "power", machine=machine, action="die"))


@fault.command()
def disown(machine: MachineName, daemon: Daemon = "default") -> None:
    """Take its owner's mark off a machine, as if somebody else had made it."""
    _tell(_ask(daemon, "disown", machine=machine))


@fault.command()
def vanish(machine: MachineName, daemon: Daemon = "default") -> None:
    """Let a machine be gone, as if somebody else had deleted it."""
    gone = _ask(daemon, "vanish", machine=machine)
    if gone is not None:
        typer.echo(f"{gone['group']}/{gone['name']} is gone")


@fault.command()
def reboot(machine: MachineName, daemon: Daemon = "default") -> None:
    """Reboot a machine."""
    _tell(_ask(daemon, "power", machine=machine, action="reboot"))


@fault.command()
def hold(machine: MachineName, daemon: Daemon = "default") -> None:
    """Let a machine's boot never finish."""
    _tell(_ask(daemon, "hold", machine=machine, held=True))


@fault.command()
def release(machine: MachineName, daemon: Daemon = "default") -> None:
    """Let a held machine go on."""
    _tell(_ask(daemon, "hold", machine=machine, held=False))


@fault.command()
def slow(
    machine: MachineName,
    factor: Annotated[float, typer.Option(min=0, help="How many times slower.")] = 10.0,
    daemon: Daemon = "default",
) -> None:
    """Slow a machine down."""
    _tell(_ask(daemon, "slow", machine=machine, factor=factor))


@fault.command()
def edit(
    machine: MachineName,
    path: Annotated[str, typer.Argument(help="Where, such as machine.sysctls.kernel or HostnameConfig.hostname.")],
    value: Annotated[str, typer.Argument(help="What, as YAML.")],
    daemon: Daemon = "default",
) -> None:
    """Change a machine's configuration behind everybody's back."""
    try:
        plain = yaml.safe_load(value)
    except yaml.YAMLError:
        typer.echo(f"error: {value!r} is no YAML value", err=True)
        raise typer.Exit(1) from None
    _tell(_ask(daemon, "edit", machine=machine, path=path, value=plain))


@fault.command()
def fail(
    call: Annotated[str, typer.Argument(help="A control call such as create_machine, or an API method.")],
    kind: Annotated[str, typer.Option(help="throttled, denied, error, or lost (done, but the answer is lost).")],
    times: Annotated[int, typer.Option(min=1, help="How many calls.")] = 1,
    machine: Annotated[str, typer.Option(help="Only calls to this machine's API.")] = "",
    daemon: Daemon = "default",
) -> None:
    """Let the next calls fail."""
    _ask(daemon, "fail", call=call, kind=kind, times=times, machine=machine)
    typer.echo(f"{call} will fail: {kind}, {times} times")


def _ask(daemon: str, verb: str, *, quiet: bool = False, **arguments: Any) -> dict[str, Any] | None:
    """The daemon's answer; None when no daemon runs and that is no error."""
    try:
        return Control.named(daemon).ask(verb, **arguments)
    except ControlError as err:
        if quiet and err.code == "no-daemon":
            return None
        typer.echo(f"error: {err}", err=True)
        raise typer.Exit(1) from None


def _tell(machine: dict[str, Any] | None) -> None:
    if machine is not None:
        typer.echo(f"{machine['group']}/{machine['name']}: power {machine['power']}, stage {machine['stage']}")


def _table(world: dict[str, Any]) -> list[str]:
    rows: list[tuple[str, ...]] = [("MACHINE", "ADDRESS", "POWER", "STAGE", "READY", "ETCD", "BOOTS", "ERROR")]
    for machine in world["machines"]:
        etcd = machine["etcd"]
        state = "learner" if etcd["member"] and etcd["learner"] else etcd["state"].lower()
        rows.append(
            (
                f"{machine['group']}/{machine['name']}",
                machine["address"],
                machine["power"],
                machine["stage"],
                "yes" if machine["ready"] else "no",
                state or "-",
                str(machine["boots"]),
                machine["error"],
            )
        )
    rows += [(f"{item['group']}/{item['name']}", item["address"], "balancer") for item in world["balancers"]]
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    for cluster in world["clusters"]:
        members = [str(len(etcd["members"])) for etcd in cluster["etcd"]]
        lines.append(
            f"cluster {cluster['id']}: bootstraps {cluster['bootstraps']}, etcd members {' and '.join(members)}"
        )
    return [*lines, "", world["notice"]]
