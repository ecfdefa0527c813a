"""Booting from virtual media: a disc in the drive of its BMC, with the host's configuration on it if it is to be."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, cast

from prov_metal.bmc.driver import Bmc, HasMedia, Source
from prov_metal.boot.blobs import Blob
from prov_metal.media import with_config
from prov_metal.ways.configuration import config_of, forget, introduce
from prov_metal.ways.way import Trip


class MediaWay:
    """The disc goes in with the machine off, and comes out with it off or running from its own disk."""

    name: ClassVar[str] = "media"
    source: ClassVar[Source] = "cd"

    def possible(self, bmc: Bmc) -> str:
        return "" if isinstance(bmc, HasMedia) else "its BMC has no drive for virtual media"

    def serve(self, trip: Trip) -> str | None:
        introduce(trip)
        return disc(trip, trip.wanted.image)

    def load(self, trip: Trip) -> None:
        url = self.serve(trip)
        assert url is not None, "loaded once it is served"
        _drive(trip).insert(url)

    def holds(self, trip: Trip) -> bool:
        return _drive(trip).media() == self.serve(trip)

    def arm(self, trip: Trip) -> None:
        trip.bmc.boot_from(self.source)

    def clear(self, trip: Trip) -> None:
        _drive(trip).eject()
        trip.bmc.boot_from("disk")
        forget(trip)


def disc(trip: Trip, place: str) -> str | None:
    """The URL of the host's own disc, made of the ISO at a place; None while that is on its way."""
    if there := trip.offered("iso"):
        return there
    image = trip.client.fetched(trip.ctx, place)
    if image is None:
        return None
    return trip.client.boot.offer(trip.wanted.host, trip.token, "iso", lambda: _made(image, config_of(trip)))


def _made(image: Path, config: str | None) -> Blob:
    return Blob.at(image) if config is None else Blob.in_file(with_config(image, config))


def _drive(trip: Trip) -> HasMedia:
    return cast(HasMedia, trip.bmc)
