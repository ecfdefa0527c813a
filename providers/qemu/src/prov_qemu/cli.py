"""`prov qemu`: the virtual machines of this computer, looked at and handled by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from attrs import asdict

from prov_qemu import operate
from prov_qemu.computer import Computer
from prov_qemu.errors import as_provider_errors
from prov_qemu.records import Record

app = typer.Typer(help="Look at virtual machines, handle them by hand.", no_args_is_help=True)
snapshot = typer.Typer(help="Snapshots of a machine's disks.", no_args_is_help=True)
app.add_typer(snapshot, name="snapshot")

Cluster = Annotated[str, typer.Argument(metavar="CLUSTER", help="The cluster's name.")]
Machine = Annotated[str, typer.Argument(metavar="MACHINE", help="The machine's name, such as control-1.")]
Snapshot = Annotated[str, typer.Argument(metavar="NAME", help="The snapshot's name.")]


@app.command("list")
def list_machines(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show all machines of yours, of every cluster."""
    with _computer() as computer:
        found = operate.machines(computer)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    rows = [("CLUSTER", "MACHINE", "ADDRESS", "INSIDE", "PROCESS", "MEMORY")]
    for each in found:
        process = str(each.process) if each.process else "off"
        memory = f"{each.memory_mib} MiB" if each.process else ""
        rows.append((each.cluster, each.name, each.host, each.ip, process, memory))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows if found else ():
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    if not found:
        typer.echo("there are no machines")


@app.command()
def console(
    cluster: Cluster,
    machine: Machine,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many lines from the end; 0 for all.")] = 50,
) -> None:
    """Show what a machine has written to its console."""
    with _machine(cluster, machine) as (computer, record):
        path = computer.records.folder(record) / "console.log"
        text = path.read_text(errors="replace") if path.exists() else ""
    typer.echo("\n".join(text.splitlines()[-lines:]))


@app.command()
def stop(
    cluster: Cluster,
    machine: Machine,
    now: Annotated[bool, typer.Option("--now", help="Cut the power instead of asking.")] = False,
) -> None:
    """Switch a machine off."""
    with _machine(cluster, machine) as (computer, record):
        operate.stop(computer, record, at_once=now)


@app.command()
def start(cluster: Cluster, machine: Machine) -> None:
    """Switch a machine on."""
    with _machine(cluster, machine) as (computer, record):
        operate.start(computer, record)


@app.command()
def reset(cluster: Cluster, machine: Machine) -> None:
    """Press a machine's reset button."""
    with _machine(cluster, machine) as (computer, record):
        operate.order(computer, record, "system_reset")


@app.command()
def resume(cluster: Cluster, machine: Machine) -> None:
    """Let a machine go on that stands still, as after the disk was full."""
    with _machine(cluster, machine) as (computer, record):
        operate.order(computer, record, "cont")


@snapshot.command("list")
def list_snapshots(cluster: Cluster, machine: Machine) -> None:
    """Show the snapshots of a machine."""
    with _machine(cluster, machine) as (computer, record):
        for name in operate.snapshots(computer, record):
            typer.echo(name)


@snapshot.command()
def take(cluster: Cluster, machine: Machine, name: Snapshot) -> None:
    """Take a snapshot, whether the machine runs or not."""
    with _machine(cluster, machine) as (computer, record):
        operate.snapshot(computer, record, name)


@snapshot.command()
def restore(cluster: Cluster, machine: Machine, name: Snapshot) -> None:
    """Put the disks of a machine that is off back to a snapshot."""
    with _machine(cluster, machine) as (computer, record):
        operate.go_back(computer, record, name)


@snapshot.command()
def remove(cluster: Cluster, machine: Machine, name: Snapshot) -> None:
    """Remove a snapshot."""
    with _machine(cluster, machine) as (computer, record):
        operate.forget(computer, record, name)


@contextmanager
def _computer() -> Iterator[Computer]:
    """This computer; errors of the system come out as errors for people."""
    with as_provider_errors():
        yield Computer.here(os.environ)


@contextmanager
def _machine(cluster: str, name: str) -> Iterator[tuple[Computer, Record]]:
    """This computer and one of its machines."""
    with _computer() as computer:
        yield computer, operate.machine(computer, cluster, name)
