"""A BMC that speaks IPMI 2.0: power, the next boot, who it is, its log.

There is no virtual media in IPMI. Numbers of commands and tables are those of the specification, "Intelligent
Platform Management Interface Specification, Second Generation, v2.0".
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen

from prov_metal.bmc.driver import Event, Facts, NextBoot, Source
from prov_metal.bmc.flavours import FLAVOURS, Flavour
from prov_metal.bmc.fru import Made, made
from prov_metal.bmc.lan import Lan
from prov_metal.bmc.sel import newest
from prov_metal.bmc.sol import Console, console_of
from prov_metal.bmc.uuids import spellings
from provisioner.sdk import Fatal, ProviderError, Retry

_CHASSIS, _APP = 0x00, 0x06
_FLAGS, _CLEARING, _ACKNOWLEDGE = 5, 3, 4
_VALID, _PERSISTENT, _UEFI = 0x80, 0x40, 0x20
_NETWORK = 0x1
_DEVICES = {0x1: "network", 0x2: "disk", 0x5: "CD", 0x6: "setup", 0x8: "remote CD", 0x9: "remote media"}


@frozen
class Identity:
    """What does not change while a session lasts. `uuids` are the likely spelling and the others, see `spellings`."""

    made: Made
    firmware: str
    uuids: tuple[str, ...]


@define
class IpmiBmc:
    """Satisfies `Bmc`, `HasEvents`, `HasConsole`, `TellsBoot`."""

    lan: Lan
    _known: tuple[int, Identity] | None = field(init=False, default=None)
    _console: Console | None = field(init=False, default=None)

    def facts(self) -> Facts:
        on = self._on()
        who = self._identity()
        first, *others = who.uuids or ("",)
        return Facts(
            who.made.vendor, who.made.model, who.firmware, first, who.made.serial, on, uuid_spellings=tuple(others)
        )

    def switch(self, *, on: bool) -> None:
        if self._on() != on:
            self.lan.done("Chassis Control", _CHASSIS, 0x02, 1 if on else 0)

    def boot_from(self, source: Source, url: str = "") -> None:
        if source == "disk":
            self._lift()
            return
        selectors = {"network": _NETWORK, "cd": self._flavour().cd}
        if source not in selectors:
            raise Fatal(
                "a BMC lacks what prov needs",
                detail=f"{self.lan.access.address.base}: IPMI cannot say what URL to boot",
                remedy="use `boot: [network]` for this host, or the redfish:// address of its BMC",
                effect=False,
            )
        wanted = (_VALID | self._mode(), selectors[source] << 2)
        if self._flags() != wanted:
            self._set(*wanted)

    def next_boot(self) -> NextBoot:
        how, device = self._flags()
        if not device:
            return NextBoot()
        words = [
            "persistent" if how & _PERSISTENT else "once",
            "UEFI" if how & _UEFI else "BIOS",
            *([] if how & _VALID else ["not marked as valid"]),
        ]
        return NextBoot(_DEVICES.get(device >> 2, f"device {device >> 2:#x}"), ", ".join(words))

    def events(self) -> Sequence[Event]:
        try:
            return newest(self.lan)
        except (ProviderError, IndexError):
            return ()

    def tail(self) -> str:
        if self._console is None:
            self._console = console_of(self.lan.access)
        return self._console.tail()

    def spoken(self) -> int:
        return self._console.spoken() if self._console is not None else 0

    # How it is done.

    def _on(self) -> bool:
        return bool(self.lan.done("Get Chassis Status", _CHASSIS, 0x01)[0] & 1)

    def _identity(self) -> Identity:
        """Read once in a session: another chassis comes with another BMC, and so with another session."""
        if self._known is None or self._known[0] != self.lan.session:
            device = self.lan.ask(_APP, 0x01)
            guid = self.lan.ask(_APP, 0x37)
            self._known = (
                self.lan.session,
                Identity(
                    made(self.lan),
                    f"{device.data[2] & 0x7F}.{device.data[3]:02x}" if len(device.data) > 3 else "",
                    spellings(guid.data) if not guid.code else (),
                ),
            )
        return self._known[1]

    def _flags(self) -> tuple[int, int]:
        """Boot flags (table 28-14, parameter 5): what is valid and how, and the device.

        Whether they persist is not looked at where they are not valid.
        """
        data = self.lan.done("Get System Boot Options", _CHASSIS, 0x09, _FLAGS, 0, 0)
        return (data[2], data[3] & 0x3C) if len(data) > 3 else (0, 0)

    def _set(self, how: int, device: int) -> None:
        # Without this the flags are cleared when nobody starts the machine within a minute; not all BMCs know it.
        self.lan.ask(_CHASSIS, 0x08, _CLEARING, 0x08)
        # And this tells the firmware that nobody has looked at the flags yet.
        self.lan.ask(_CHASSIS, 0x08, _ACKNOWLEDGE, 0x01, 0x01)
        self.lan.done("Set System Boot Options", _CHASSIS, 0x08, _FLAGS, how, device, 0, 0, 0)
        kept = self._flags()[1]
        if kept != device:
            raise Retry(
                "a BMC did not keep the boot source",
                detail=f"{self.lan.access.address.base}: device {device >> 2} was set, {kept >> 2} is there",
                after_s=3.0,
            )

    def _lift(self) -> None:
        """Leaves it to the firmware; where a BMC cannot be without an override, the disk it is."""
        device = self._flags()[1]
        if device in (0, self._flavour().disk << 2):
            return
        self.lan.ask(_CHASSIS, 0x08, _FLAGS, 0, 0, 0, 0, 0)
        if self._flags()[1]:
            self._set(_VALID | self._mode(), self._flavour().disk << 2)

    def _flavour(self) -> Flavour:
        return FLAVOURS[self.lan.access.address.vendor or "generic"]

    def _mode(self) -> int:
        return _UEFI if self.lan.access.address.uefi else 0
