"""Booting over the network: PXE, then iPXE, then kernel and initramfs, found by the host's network card.

Nobody vouches for the network here: whoever sends from that card's address is told where the configuration is, if
it is handed over with the image at all.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import ClassVar

from prov_metal.arguments import joined
from prov_metal.bmc.driver import Bmc, Source
from prov_metal.boot import ipxe
from prov_metal.boot.blobs import Blob
from prov_metal.ways.configuration import argument, forget, introduce
from prov_metal.ways.way import Trip
from provisioner.sdk import OperatorNeeded

_QUERY = "?uuid=${uuid}&mac=${netX/mac:hexhyp}"
"""iPXE fills this in."""


class NetworkWay:
    """The host's script is served while it is made; DHCP answers its cards meanwhile, where that is our task."""

    name: ClassVar[str] = "network"
    source: ClassVar[Source] = "network"

    def possible(self, bmc: Bmc) -> str:
        return ""

    def serve(self, trip: Trip) -> str | None:
        client, wanted = trip.client, trip.wanted
        if not wanted.macs:
            raise OperatorNeeded(
                "a host that boots over the network has no network card",
                detail=f"{wanted.host} is known by no `macs`",
                remedy="give the card it boots from in its row of the inventory",
            )
        introduce(trip)
        arguments = argument(trip, _QUERY)
        places = (wanted.kernel, wanted.initramfs, wanted.cmdline)
        script = trip.offered("ipxe")
        if script is None:
            found = [client.fetched(trip.ctx, place) for place in places]
            files = [path for path in found if path is not None]
            if len(files) < len(places):
                return None
            kernel, initramfs = (_image(trip, path) for path in files[:2])
            text = ipxe.boots(kernel, initramfs, joined(_text(files[2]), arguments))
            script = client.boot.offer(wanted.host, trip.token, "ipxe", lambda: Blob.of(text.encode()))
        return script

    def load(self, trip: Trip) -> None:
        """Nothing: what it boots is found by its network card."""

    def holds(self, trip: Trip) -> bool:
        return True

    def arm(self, trip: Trip) -> None:
        trip.bmc.boot_from(self.source)

    def clear(self, trip: Trip) -> None:
        trip.bmc.boot_from("disk")
        forget(trip)


def _image(trip: Trip, path: Path) -> str:
    folder = hashlib.sha256(str(path.parent).encode()).hexdigest()[:16]
    return trip.client.boot.image(folder, path.name, lambda: Blob.at(path))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as err:
        raise OperatorNeeded(
            "kernel arguments cannot be read",
            detail=f"{path.name}: {err}",
            remedy="give a file with one line of text as `cmdline`",
        ) from None
