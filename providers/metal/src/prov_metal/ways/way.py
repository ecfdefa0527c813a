"""What a way to boot a host has to be able to do, whatever carries the image."""

from __future__ import annotations

from typing import ClassVar, Protocol

from attrs import frozen

from prov_metal.bmc.driver import Bmc, Facts, Source
from prov_metal.boot.tokens import token
from prov_metal.client import Client
from prov_metal.kinds.props import HostProps
from provisioner.sdk import Context


@frozen
class Trip:
    """One host underway, as a call of its verb has it.

    generation  counts the objects of its address
    facts       what its BMC said in this call, None before it was asked
    way         the name of the way that it goes, empty where that does not matter
    """

    client: Client
    wanted: HostProps
    bmc: Bmc
    ctx: Context
    generation: int
    facts: Facts | None = None
    way: str = ""

    @property
    def token(self) -> str:
        """What makes the places of this host's secrets hard to guess; never to be printed."""
        return token(self.ctx.derive, self.wanted.host, self.generation)

    def offered(self, form: str) -> str | None:
        """Where this form of the host's image is served, if it is by now."""
        service, host = self.client.boot, self.wanted.host
        return service.url(host, self.token, form) if service.offers(host, self.token, form) else None


class Way(Protocol):
    """A way to boot a host once. Every call may be repeated, and none waits. All raise ProviderError."""

    name: ClassVar[str]
    """As in `boot` of an inventory's row."""
    source: ClassVar[Source]
    """What the BMC is told to boot from."""

    def possible(self, bmc: Bmc) -> str:
        """Empty, or why this BMC cannot do it."""
        ...

    def serve(self, trip: Trip) -> str | None:
        """Sees to it that what the host boots is served, and gives its URL; None while the image is on its way.

        Called in every phase until the host has installed itself, so that a run that goes on serves again.
        """
        ...

    def load(self, trip: Trip) -> None:
        """Makes ready what the machine is going to boot, while it is off."""
        ...

    def holds(self, trip: Trip) -> bool:
        """Whether what was made ready is there still; asked once it is served."""
        ...

    def arm(self, trip: Trip) -> None:
        """Tells the BMC what the next start boots from."""
        ...

    def clear(self, trip: Trip) -> None:
        """Takes away what was made ready, lifts the boot order, serves no longer."""
        ...
