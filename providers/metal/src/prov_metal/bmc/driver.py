"""What is asked of a BMC, whatever it speaks.

Every call looks before it writes and is quiet when there is nothing to do, so each may be repeated. None waits: a
power switch is pressed and the next look tells what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from attrs import frozen

from prov_metal.bmc.uuids import turned

Source = Literal["cd", "network", "http", "disk"]
"""What a machine boots from: virtual media, PXE, a URL that its firmware fetches itself, or what its firmware has on
record from the installation.
"""


@frozen
class Facts:
    """What a BMC says of its machine, texts as it writes them. `on` is the power.

    `uuid` is empty where there is none; `uuid_spellings` are what it may be as well, its bytes read in other orders
    (see `uuids`). `bmc` is the firmware of the BMC itself, `mode` how the machine boots (`UEFI`, `Legacy`), and
    `memory_gib` what is built in; empty and 0 where it does not say.
    """

    vendor: str
    model: str
    firmware: str
    uuid: str
    serial: str
    on: bool
    uuid_spellings: tuple[str, ...] = ()
    bmc: str = ""
    mode: str = ""
    memory_gib: float = 0.0

    @property
    def uuids(self) -> frozenset[str]:
        """All spellings of the machine's UUID, in lower case; none where its BMC tells none."""
        return frozenset({self.uuid.lower(), turned(self.uuid), *self.uuid_spellings} - {""})

    def is_uuid(self, text: str) -> bool:
        """Whether a UUID that somebody says or wrote down is this machine's, in whatever order of bytes."""
        return text.lower() in self.uuids


class Bmc(Protocol):
    """One machine's BMC. All methods raise ProviderError."""

    def facts(self) -> Facts:
        """What is there, and whether it is on."""
        ...

    def switch(self, *, on: bool) -> None:
        """Presses the power switch; off is without asking the operating system."""
        ...

    def boot_from(self, source: Source, url: str = "") -> None:
        """What the next start boots from; `disk` lifts whatever was set before, `http` takes the URL to fetch."""
        ...


@runtime_checkable
class HasMedia(Protocol):
    """A BMC with a drive that takes an ISO from a URL."""

    def media(self) -> str | None:
        """The URL of what is inserted, None when nothing is."""
        ...

    def insert(self, url: str) -> None:
        """Inserts an ISO; what was inserted before is ejected first."""
        ...

    def eject(self) -> None:
        """Ejects whatever is inserted."""
        ...


class MediaBmc(Bmc, HasMedia, Protocol):
    """A BMC that can do all that the media way needs."""


@frozen
class NextBoot:
    """What the next start boots from, in the BMC's words: `Cd`, `Once`; `secure` if its firmware wants signatures."""

    target: str = ""
    enabled: str = ""
    secure: bool = False


@runtime_checkable
class TellsBoot(Protocol):
    """A BMC that tells what the next start boots from."""

    def next_boot(self) -> NextBoot:
        """What is set now; empty words where nothing is."""
        ...


@runtime_checkable
class HasWitnesses(Protocol):
    """A BMC that says in several places whether its machine is on."""

    def witnesses(self) -> Mapping[str, bool]:
        """What the other places say, by their names for people (`its chassis`); not all of them follow the power."""
        ...


@frozen
class Event:
    """An entry of a BMC's log: when, by the BMC's clock, how bad (`ok`, `warning`, `critical`), and its words."""

    at: datetime | None
    severity: str
    text: str


@runtime_checkable
class HasEvents(Protocol):
    """A BMC with a log."""

    def events(self) -> Sequence[Event]:
        """The newest entries, at most 50, the newest last; empty where the log cannot be had."""
        ...


@runtime_checkable
class HasConsole(Protocol):
    """Something that hears what the machine writes on its serial console."""

    def tail(self) -> str:
        """The last 64 KiB, as text, of what was written since listening began, which is when this is first asked."""
        ...

    def spoken(self) -> int:
        """How many bytes the machine has written since.

        What comes first on a connection is not counted: console servers greet, and repeat what they kept.
        """
        ...
