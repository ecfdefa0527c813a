"""UEFI HTTP boot: the firmware fetches a program or a disc from a URL that its BMC was given.

The URL has the host's token in it, and the way to the BMC is as safe as the BMC's certificate. What is fetched
travels in the clear unless the boot service has a certificate that the firmware trusts.
"""

from __future__ import annotations

from typing import ClassVar

from prov_metal.bmc.driver import Bmc, Source
from prov_metal.boot.blobs import Blob
from prov_metal.uki import with_arguments
from prov_metal.ways.configuration import argument, forget, introduce
from prov_metal.ways.media import disc
from prov_metal.ways.way import Trip


class HttpWay:
    """A UKI gets the place of the configuration as a kernel argument; an ISO has the configuration on it."""

    name: ClassVar[str] = "http"
    source: ClassVar[Source] = "http"

    def possible(self, bmc: Bmc) -> str:
        return ""  # a BMC that cannot do it says so when it is told to

    def serve(self, trip: Trip) -> str | None:
        place = trip.wanted.http_image
        introduce(trip)
        if place.endswith(".iso"):
            return disc(trip, place)
        further = argument(trip)  # in every phase: the configuration is asked for after the program
        if there := trip.offered("efi"):
            return there
        image = trip.client.fetched(trip.ctx, place)
        if image is None:
            return None

        def make() -> Blob:
            return Blob.of(with_arguments(image, further)) if further else Blob.at(image)

        return trip.client.boot.offer(trip.wanted.host, trip.token, "efi", make)

    def load(self, trip: Trip) -> None:
        """Nothing: the URL goes to the BMC with the order to boot."""

    def holds(self, trip: Trip) -> bool:
        return True

    def arm(self, trip: Trip) -> None:
        url = self.serve(trip)
        assert url is not None, "loaded once it is served"
        trip.bmc.boot_from(self.source, url)

    def clear(self, trip: Trip) -> None:
        trip.bmc.boot_from("disk")
        forget(trip)
