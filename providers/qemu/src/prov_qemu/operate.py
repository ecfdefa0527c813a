"""What people do with machines by hand, beside plan and apply: look, stop, start, reset, and snapshots of disks.

Nothing of this is on prov's record; what is left other than the file says shows as drift.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

from prov_qemu.computer import Computer
from prov_qemu.machine.monitor import NoAnswer, Refused
from prov_qemu.machine.start import KIND, launch, monitor_of, network_folder
from prov_qemu.machine.tools import tools_of
from prov_qemu.processes import process_of
from prov_qemu.records import Record
from provisioner.sdk import ProvError, did_you_mean


@frozen
class Shown:
    """A machine for people to look at; `process` is 0 where none runs, `memory_mib` what it takes here."""

    cluster: str
    name: str
    host: str
    ip: str
    process: int
    memory_mib: int
    console: str


def machines(computer: Computer) -> list[Shown]:
    """All machines of this user, by cluster and name."""
    return [_shown(computer, record) for record in computer.records.all(KIND)]


def machine(computer: Computer, cluster: str, name: str) -> Record:
    """The machine of that name; raises ProvError."""
    found = {(record.cluster, record.name): record for record in computer.records.all(KIND)}
    if (cluster, name) not in found:
        raise ProvError(
            "there is no such machine",
            detail=f"{cluster} {name}",
            remedy=did_you_mean(f"{cluster} {name}", [" ".join(each) for each in found]) or "see `prov qemu list`",
        )
    return found[cluster, name]


def stop(computer: Computer, record: Record, *, at_once: bool) -> None:
    """Tells a machine to switch itself off, or ends it where it stands."""
    if at_once:
        computer.processes.kill(computer.records.folder(record))
    else:
        order(computer, record, "system_powerdown")


def start(computer: Computer, record: Record) -> None:
    """Starts a machine as it was made; one that runs is left alone."""
    wish = str(record.props["accelerator"])
    accelerators = computer.accelerators
    found = wish if wish != "auto" else accelerators.known() or accelerators.probe(tools_of(computer.facts))
    launch(computer, record, found)


def order(computer: Computer, record: Record, name: str, /, **arguments: Any) -> Any:
    """Gives an order to a machine that runs; raises ProvError."""
    try:
        return computer.monitors.ask(network_folder(computer, record), monitor_of(record), name, **arguments)
    except NoAnswer:
        raise ProvError(
            "the machine does not run",
            detail=f"{record.cluster} {record.name}",
            remedy=f"start it: `prov qemu start {record.cluster} {record.name}`",
        ) from None
    except Refused as err:
        raise ProvError(
            "qemu refuses this", detail=f"{record.name}: {err}", remedy="see to what the detail names"
        ) from None


def snapshot(computer: Computer, record: Record, name: str) -> None:
    """Takes a snapshot of all disks of a machine, whether it runs or not."""
    _check_formats(record)
    if computer.processes.alive(computer.records.folder(record)):
        for number, _ in enumerate(record.props["disks"]):
            order(computer, record, "blockdev-snapshot-internal-sync", device=f"disk{number}", name=name)
        return
    _with_tool(computer, record, "-c", name)


def go_back(computer: Computer, record: Record, name: str) -> None:
    """Puts the disks of a machine that does not run back to a snapshot; raises ProvError."""
    _check_formats(record)
    if computer.processes.alive(computer.records.folder(record)):
        raise ProvError(
            "the machine runs, and its disks are in use",
            detail=f"{record.cluster} {record.name}",
            remedy=f"stop it first: `prov qemu stop {record.cluster} {record.name}`",
        )
    _with_tool(computer, record, "-a", name)


def forget(computer: Computer, record: Record, name: str) -> None:
    """Removes a snapshot of all disks, whether the machine runs or not."""
    _check_formats(record)
    if computer.processes.alive(computer.records.folder(record)):
        for number, _ in enumerate(record.props["disks"]):
            order(computer, record, "blockdev-snapshot-delete-internal-sync", device=f"disk{number}", name=name)
        return
    _with_tool(computer, record, "-d", name)


def snapshots(computer: Computer, record: Record) -> list[str]:
    """The names of the snapshots of a machine's first disk."""
    if computer.processes.alive(computer.records.folder(record)):
        for device in order(computer, record, "query-block"):
            if device.get("device") == "disk0":
                image = device.get("inserted", {}).get("image", {})
                return sorted(str(item["name"]) for item in image.get("snapshots", ()))
        return []
    tool = tools_of(computer.facts).qemu_img
    return sorted(computer.disks.snapshots(tool, Path(record.props["disks"][0])))


def _with_tool(computer: Computer, record: Record, flag: str, name: str) -> None:
    tool = tools_of(computer.facts).qemu_img
    for path in record.props["disks"]:
        computer.disks.snapshot(tool, Path(path), flag, name)


def _check_formats(record: Record) -> None:
    if any(not path.endswith(".qcow2") for path in record.props["disks"]):
        raise ProvError(
            "raw disks have no snapshots",
            detail=f"{record.cluster} {record.name}",
            remedy="make the disk with the format qcow2",
        )


def _shown(computer: Computer, record: Record) -> Shown:
    folder = computer.records.folder(record)
    process = process_of(folder) or 0
    return Shown(
        record.cluster,
        record.name,
        str(record.props["host"]),
        str(record.props["ip"]),
        process,
        _resident_mib(process),
        str(folder / "console.log"),
    )


def _resident_mib(process: int) -> int:
    """Memory that a process takes, from proc(5) `status`; 0 where there is no such process."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS:")), 0)
