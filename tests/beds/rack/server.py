"""A server in a rack, as far as a provisioner can tell: power, firmware, a drive, a disk, a console, a log.

What it does takes time on the rack's clock. Whoever looks makes it catch up first, so nothing runs by itself and
the same looks give the same life.

    on ──► self test ──► boot option ──► the disc: Talos reads its configuration, installs itself ──► off, or anew
                              │
                              └──► the disk: Talos with the configuration of the installation, or what was there
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Protocol

from attrs import define, field, frozen
from beds.rack import disc, talos_says
from beds.rack.segment import Segment
from beds.rack.trouble import HEALTHY, Trouble

Option = Literal["cd", "disk", "network", "http"]

_ATTEMPTS = 20
POST_S, LOAD_S, CONFIG_S, INSTALL_S, BOOT_S = 12.0, 15.0, 8.0, 30.0, 20.0
"""How long self test, loader, finding the configuration, installing and booting from the disk take."""


class Site(Protocol):
    """Where Talos runs once it is installed."""

    def boot(self, server: Server, config: bytes) -> None:
        """Talos boots from the server's disk."""
        ...

    def cut(self, server: Server) -> None:
        """The server has no power any more."""
        ...

    def on(self, server: Server) -> bool:
        """Whether Talos runs there, or has switched the machine off."""
        ...

    def wiped(self, server: Server) -> bool:
        """Whether Talos has wiped the server's disk since it booted."""
        ...

    def bare(self, server: Server) -> bool:
        """Whether all of that disk went."""
        ...

    def complaint(self, config: bytes) -> str:
        """What Talos has against a configuration; empty for nothing."""
        ...


@frozen
class Plate:
    """What is written on a server, and where it is plugged in."""

    name: str
    address: str
    uuid: str
    serial: str
    mac: str


@frozen
class Entry:
    """A line of the BMC's log. `severity` as Redfish has it: OK, Warning, Critical."""

    at: float
    severity: str
    text: str


@define(eq=False)
class Server:
    """One server. `fetch` gets what is at a URL for the BMC; raises OSError."""

    plate: Plate
    clock: Callable[[], float]
    site: Site
    fetch: Callable[[str], bytes]
    wire: Segment
    trouble: Trouble = HEALTHY
    returns: bool = True
    """After the installation it boots anew by itself; else it stays off."""
    foreign: bool = False
    """There is another operating system on its disk."""
    marks: bool = True
    """What a Talos leaves on its disk keeps discs from installing another one; not where hosts go without a reset."""
    power: bool = False
    inserted: str | None = None
    medium: bytes | None = None
    override: Option | None = None
    continuous: bool = False
    override_url: str = ""
    order: tuple[Option, ...] = ("disk", "network")
    installed: bytes | None = None
    """The configuration on the disk; None without an installation."""
    marked: bool = False
    """A Talos has left its partition META on the disk, so that no disc installs another one."""
    console: list[str] = field(factory=list)
    log: list[Entry] = field(factory=list)
    installs: int = 0
    starts: int = 0
    runs: bool = False
    """Talos runs from the disk."""
    erases: bool = False
    """Talos has ended its API, and erases the disks."""
    cut_short: int = 0
    """How often somebody switched it off while it did."""
    said_at: int = 0
    """How many lines the console had when the power came on last."""
    ejects_left: float = 0.0
    """Until when a drive that ejects late says that it is full."""
    _agenda: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _number: itertools.count[int] = field(factory=itertools.count)
    _now: float = 0.0

    def catch_up(self) -> None:
        """Does what is due."""
        now = self.clock()
        while self._agenda and self._agenda[0][0] <= now:
            self._now, _, act = heapq.heappop(self._agenda)
            act()
        self._now = now
        if self.runs and self.site.wiped(self):
            self.installed = None
            self.marked = self.marked and not self.site.bare(self)
        if self.runs and not self.site.on(self):
            self.runs = False
            self.erases = bool(self.trouble.erases_s)
            self._after(self.trouble.erases_s, lambda: self._off("the system powered off"))
            if not self.erases:
                self.catch_up()

    # What its BMC does to it.

    def press(self, *, on: bool) -> None:
        """The power switch, and it does what it is for."""
        if self.trouble.switch_is_dead or on == self.power:
            return
        if on:
            self.power = True
            self.starts += 1
            self.said_at = len(self.console)
            self._note("OK", "the system was powered on")
            self._firmware()
        else:
            self.cut_short += self.erases
            self.site.cut(self)
            self._off("the system was powered off")

    def insert(self, url: str) -> None:
        """A disc goes in; raises OSError where it cannot be had."""
        self.medium = self.fetch(url)
        self.inserted = url
        self._note("OK", "virtual media was connected")

    def eject(self) -> None:
        if self.inserted is not None:
            self.ejects_left = self.clock() + self.trouble.ejects_after_s
            self._note("OK", "virtual media was disconnected")
        self.inserted = self.medium = None

    @property
    def shows_inserted(self) -> bool:
        return self.inserted is not None or self.clock() < self.ejects_left

    @property
    def shows_on(self) -> bool:
        """What the BMC says of the power."""
        return self.power if self.trouble.says_power is None else self.trouble.says_power

    # What it does by itself.

    def _firmware(self) -> None:
        if not self.trouble.hangs:
            self._after(POST_S, self._choose)

    def _choose(self) -> None:
        wanted = None if self.trouble.ignores_override else self.override
        if wanted is not None and not self.continuous:
            self.override = None
        options = [*([wanted] if wanted else []), *(self.trouble.order or self.order)]
        self._try(options, 1)

    def _try(self, options: list[Option], number: int) -> None:
        if not options:
            self._say(talos_says.NOTHING_BOOTS)
            return
        option, *rest = options
        boot, name = {
            "cd": (self._from_disc, talos_says.CD),
            "disk": (self._from_disk, talos_says.DISK),
            "network": (self._from_network, talos_says.PXE),
            "http": (self._from_url, talos_says.HTTP),
        }[option]
        mac = self.plate.mac.replace(":", "").upper()
        self._say(talos_says.loading(name, number, mac))
        why = boot()
        if why:
            self._say(talos_says.failed(name, number, why, mac))
            self._after(5.0, lambda: self._try(rest, number + 1))
        else:
            self._say(talos_says.starting(name, number, mac))

    def _from_disc(self) -> str:
        """Boots from the drive; why not, as firmware says it."""
        if self.medium is None or self.trouble.drive_is_unseen:
            return "Not Found"
        return self._boots(self.medium)

    def _from_url(self) -> str:
        """The firmware fetches a disc by itself."""
        self._say(*talos_says.HTTP_BEGINS)
        if not self.trouble.fetches_nothing:
            with suppress(OSError):
                return self._boots(self.fetch(self.override_url))
        self._say(*talos_says.HTTP_FAILS)
        return "Not Found"

    def _boots(self, medium: bytes) -> str:
        if not disc.boots(medium):
            return "Not Found"
        if self.trouble.secure_boot:
            return "Access Denied"
        if self.trouble.panics:
            self._after(LOAD_S, lambda: self._say(*self.trouble.panics))
        elif self.trouble.left_over or self.marked:
            self._after(LOAD_S, lambda: self._say(*talos_says.HALTS))
        else:
            self._after(LOAD_S, lambda: self._initialize(disc.config_on(medium)))
        return ""

    def _from_network(self) -> str:
        """PXE, then iPXE, then a kernel with the place of the configuration on its command line."""
        self._say(*talos_says.PXE_BEGINS)
        found = self.wire.boot(self.plate.mac, self.trouble.says_uuid or self.plate.uuid, self.fetch)
        self._say(*found.said)
        if found.config:
            self._after(LOAD_S, lambda: self._ask(found.config, 0))
        return found.why

    def _ask(self, url: str, attempt: int) -> None:
        """Talos asks for its configuration, again and again where it does not get it."""
        if attempt == 0:
            self._say(*talos_says.INITIALIZE)
        uuid = self.trouble.says_uuid or self.plate.uuid
        place = url.replace("${uuid}", uuid).replace("${serial}", self.plate.serial)
        self._say(talos_says.fetching(place))
        try:
            config = self.fetch(place)
        except OSError as err:
            self._say(talos_says.not_downloaded(place, getattr(err, "code", 0), str(err)))
            if attempt < _ATTEMPTS:
                self._after(30.0, lambda: self._ask(url, attempt + 1))
            return
        self._after(CONFIG_S, lambda: self._configure(config))

    def _initialize(self, config: bytes | None) -> None:
        self._say(*talos_says.INITIALIZE)
        if self.trouble.overlooks_config:
            self._say(*talos_says.reachable(self.plate.address))
            self.runs = True
            self.site.boot(self, b"")
            return
        if config is None:
            self._say(talos_says.controller_failed("config.AcquireController", talos_says.NO_CONFIG_DISC))
            return
        self._say(talos_says.from_disc("/dev/sr0"))
        self._after(CONFIG_S, lambda: self._configure(config))

    def _configure(self, config: bytes) -> None:
        complaint = self.trouble.complaint or self.site.complaint(config)
        if complaint:
            whole = f"failed to load config via platform metal: {complaint}"
            self._say(talos_says.controller_failed("config.AcquireController", whole))
            return
        self._say(*talos_says.INSTALL)
        if self.trouble.installer_says:
            self._say(*self.trouble.installer_says)
            return
        self._after(INSTALL_S, lambda: self._install(config))

    def _install(self, config: bytes) -> None:
        self.installs += 1
        if not self.trouble.forgets_installation:
            self.installed, self.marked = config, self.marks
        self._say(*talos_says.INSTALLED)
        if self.returns:
            self._firmware()
        else:
            self._off("the system powered off")

    def _from_disk(self) -> str:
        config = self.installed
        if config is None and not self.foreign:
            return "Not Found"
        if config is None:
            self._after(LOAD_S, lambda: self._say(*talos_says.FOREIGN))
            return ""
        self._after(BOOT_S, lambda: self._run(config))
        return ""

    def _run(self, config: bytes) -> None:
        self._say(*talos_says.BOOTED, *self.trouble.system_says)
        if not self.trouble.api_is_shut:
            self.runs = True
            self.site.boot(self, config)

    def _off(self, why: str) -> None:
        self.power = self.runs = self.erases = False
        self._agenda.clear()
        self._note("OK", why)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self._at() + seconds, next(self._number), act))

    def _at(self) -> float:
        return self._now or self.clock()

    def _say(self, *lines: str) -> None:
        self.console += lines

    def _note(self, severity: str, text: str) -> None:
        self.log.append(Entry(self._at(), severity, text))
