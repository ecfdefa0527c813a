"""A machine's disks with what is on them, which it tells in maintenance, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grpclib.client import Channel

from provisioner.talos.api.access import Disk
from provisioner.talos.api.calls import cosi


async def disks(channel: Channel) -> tuple[Disk, ...]:
    """The disks by path. What a disk holds is told of each device on it, with the disk as its parent."""
    found = await cosi.listed(channel, cosi.DISKS)
    system = (await cosi.get(channel, cosi.SYSTEM_DISK) or {}).get("devPath", "")
    volumes = await cosi.listed(channel, cosi.VOLUMES)
    return tuple(
        Disk(
            path=str(spec.get("devPath") or f"/dev/{name}"),
            aliases=tuple(str(link) for link in spec.get("symlinks") or ()),
            about=", ".join(_about(spec)),
            system=spec.get("devPath") == system,
            fixed=bool(spec.get("readonly")),
            holds=tuple(_held(name, volumes)),
        )
        for name, spec in sorted(found.items())
        if not spec.get("cdrom")
    )


def _about(spec: Mapping[str, Any]) -> Iterator[str]:
    if model := spec.get("model"):
        yield str(model)
    if serial := spec.get("serial"):
        yield f"serial {serial}"
    if size := spec.get("prettySize"):
        yield str(size)


def _held(disk: str, volumes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Partitions of a disk by their labels, or device names; a filesystem or table on the disk itself by its name."""
    for name, spec in sorted(volumes.items()):
        if spec.get("parent") == disk:
            yield str(spec.get("partitionLabel") or name)
        elif name == disk and (there := spec.get("name")):
            yield str(there)
