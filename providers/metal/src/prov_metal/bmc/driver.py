"""What is asked of a BMC, whatever it speaks.

Every call looks before it writes and is quiet when there is nothing to do, so each may be repeated. None waits: a
power switch is pressed and the next look tells what came of it.
"""

from __future__ import annotations

from typing import Literal, Protocol

from attrs import frozen

Source = Literal["cd", "disk"]
"""What a machine boots from: virtual media, or what its firmware has on record from the installation."""


@frozen
class Facts:
    """What a BMC says of its machine, texts as it writes them. `on` is the power."""

    vendor: str
    model: str
    firmware: str
    uuid: str
    serial: str
    on: bool


class Bmc(Protocol):
    """One machine's BMC. All methods raise ProviderError."""

    def facts(self) -> Facts:
        """What is there, and whether it is on."""
        ...

    def switch(self, *, on: bool) -> None:
        """Presses the power switch; off is without asking the operating system."""
        ...

    def media(self) -> str | None:
        """The URL of what is inserted, None when nothing is."""
        ...

    def insert(self, url: str) -> None:
        """Inserts an ISO; what was inserted before is ejected first."""
        ...

    def eject(self) -> None:
        """Ejects whatever is inserted."""
        ...

    def boot_from(self, source: Source) -> None:
        """What the next start boots from; `disk` lifts whatever was set before."""
        ...
