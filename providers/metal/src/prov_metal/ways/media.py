"""Booting from virtual media: a disc per host, with its configuration on it, in the drive of its BMC."""

from __future__ import annotations

from typing import ClassVar, cast

from prov_metal.bmc.driver import Bmc, HasMedia, Source
from prov_metal.ways.way import Trip


class MediaWay:
    """The disc goes in with the machine off, and comes out with it off or running from its own disk."""

    name: ClassVar[str] = "media"
    source: ClassVar[Source] = "cd"

    def possible(self, bmc: Bmc) -> str:
        return "" if isinstance(bmc, HasMedia) else "its BMC has no drive for virtual media"

    def serve(self, trip: Trip) -> str | None:
        wanted = trip.wanted
        return trip.client.disc(trip.ctx, wanted.host, str(wanted.user_data.reveal()), wanted.image)

    def load(self, trip: Trip) -> None:
        url = self.serve(trip)
        assert url is not None, "loaded once it is served"
        _drive(trip).insert(url)

    def arm(self, trip: Trip) -> None:
        trip.bmc.boot_from(self.source)

    def clear(self, trip: Trip) -> None:
        _drive(trip).eject()
        trip.bmc.boot_from("disk")
        trip.client.media.forget(trip.wanted.host)


def _drive(trip: Trip) -> HasMedia:
    return cast(HasMedia, trip.bmc)
