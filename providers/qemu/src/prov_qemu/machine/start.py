"""From a machine's record to a running process: its files, its command, and what became of an attempt."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from prov_qemu.computer import Computer
from prov_qemu.image.disks import keep
from prov_qemu.machine.command import ATTACH, Attachment, Build, attachment_script, command
from prov_qemu.machine.delivery import CONFIGURATION, Carrier, carrier, hand_out, put_down
from prov_qemu.machine.monitor import NoAnswer, Refused
from prov_qemu.machine.tools import tools_of
from prov_qemu.network.addresses import GATEWAY, inside, number_of
from prov_qemu.processes import LOG, last_words
from prov_qemu.records import Record, write_whole
from provisioner.sdk import Context, OperatorNeeded, Working

KIND: Final = "machine"
FIRMWARE: Final = "firmware.fd"
MEDIUM: Final = "medium.iso"
FAILED: Final = "failed.log"
HALTED: Final = ("io-error", "internal-error", "paused")
"""What qemu says of a machine that it does not let go on."""
WELL: Final = "qemu.log"


def prepare(client: Computer, record: Record, user_data: str) -> None:
    """Writes what a new machine needs before its first start, as far as it is not there; raises OSError.

    The firmware's memory is written last: once it is there, so is the rest.
    """
    folder = client.records.folder(record)
    if (folder / FIRMWARE).exists():
        return
    put_down(_carrier(client, record, user_data), folder)
    if record.props["medium"]:
        keep(Path(record.props["medium"]), folder / MEDIUM)
    bridge = _address(client, record)["bridge"]
    if bridge:
        write_whole(folder / ATTACH, attachment_script(bridge))
        (folder / ATTACH).chmod(0o700)
    part = folder / f".{FIRMWARE}.part"
    shutil.copyfile(tools_of(client.facts).variables, part)
    part.replace(folder / FIRMWARE)


def launch(client: Computer, record: Record, accelerator: str) -> None:
    """Starts the machine's process; one that lives is left alone. Raises OSError."""
    tools = tools_of(client.facts)
    words = command(_build(client, record, accelerator), tools)
    client.processes.start(client.records.folder(record), words, network_folder(client, record))


def complaint(folder: Path) -> str:
    """Why the last start failed, told once; empty where nothing failed."""
    said = last_words(folder)
    _put_aside(folder, FAILED)
    return said


def started_well(folder: Path) -> None:
    """Notes that the machine's process takes orders; what it wrote is no complaint."""
    _put_aside(folder, WELL)


def _put_aside(folder: Path, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        (folder / LOG).replace(folder / name)


def accelerator_of(client: Computer, wish: str, ctx: Context) -> str:
    """`kvm` or `tcg`; empty while it is being tried out."""
    if wish != "auto":
        return wish
    if known := client.accelerators.known():
        return known
    tools = tools_of(client.facts)
    task = ctx.task("accelerator", lambda: client.accelerators.probe(tools))
    return "" if isinstance(task, Working) else task.value


def monitor_of(record: Record) -> str:
    """The name of the machine's monitor socket in the folder of its network."""
    return f"{number_of(record.props['ip'])}.monitor"


def status_of(client: Computer, record: Record) -> str:
    """How the machine's process says it is, such as `running`; empty where it takes no orders."""
    try:
        found = client.monitors.ask(network_folder(client, record), monitor_of(record), "query-status")
    except (NoAnswer, Refused, OperatorNeeded):
        return ""
    return str(found["status"])


def network_folder(client: Computer, record: Record) -> Path:
    """The folder of the machine's network, in which its process has its sockets."""
    return client.place.folder("network", record.cluster, _address(client, record)["network"])


def _build(client: Computer, record: Record, accelerator: str) -> Build:
    props, folder, address = record.props, client.records.folder(record), _address(client, record)
    carried = _carrier(client, record, "")
    media = [str(folder / MEDIUM)] if props["medium"] else []
    if carried.label:
        media.append(str(folder / CONFIGURATION))
    return Build(
        name=record.name,
        key=record.key,
        folder=folder,
        cpus=props["cpus"],
        memory_mib=props["memory_mib"],
        accelerator=accelerator,
        attachment=Attachment(
            subnet=address["subnet"],
            ip=props["ip"],
            host=props["host"],
            mac=address["mac"],
            bridge=address["bridge"],
            hand=hand_out(carried, folder),
        ),
        monitor=monitor_of(record),
        disks=tuple(props["disks"]),
        formats=tuple(Path(path).suffix.removeprefix(".") for path in props["disks"]),
        bus=props["bus"],
        media=tuple(media),
        serial=carried.serial,
        arguments=carried.arguments,
    )


def _carrier(client: Computer, record: Record, user_data: str) -> Carrier:
    address = _address(client, record)
    subnet = address["subnet"]
    fixed = {name: address[name] for name in ("ip", "mac", "resolver")} if address["bridge"] else {}
    return carrier(
        record.props["config"], name=record.name, id_=record.id, user_data=user_data, subnet=subnet, static=fixed
    )


def _address(client: Computer, record: Record) -> Mapping[str, str]:
    """The addresses that are held for the machine; raises OperatorNeeded where they are not any more."""
    found = client.records.find("address", record.cluster, record.props["address"])
    if found is None or found.fact("ip") != record.props["ip"]:
        raise OperatorNeeded(
            "the addresses of a machine are gone",
            detail=f"{record.name} was made with {record.props['ip']}",
            remedy="plan again",
        )
    network = client.records.find("network", record.cluster, found.props["network"])
    if network is None:
        raise OperatorNeeded("the network of a machine is gone", detail=record.name, remedy="plan again")
    resolver = network.props["resolver"] or inside(network.props["subnet"], GATEWAY)
    return {**found.facts, "network": network.name, "bridge": network.props["bridge"], "resolver": resolver}
