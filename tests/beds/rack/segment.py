"""The network that servers boot over: DHCP and TFTP as dnsmasq answers them, and a log as dnsmasq writes it.

It stands where prov's own dnsmasq does (`welcome`, `dismiss`, `log`), and does with its guests what dnsmasq would.
Lines as in dnsmasq 2.90, rfc2131.c and tftp.c, with `log-dhcp`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen
from beds.rack import talos_says

INTERFACE = "rack0"
Fetch = Callable[[str], bytes]


@frozen
class Booted:
    """How booting over the network went: what was printed, the place of the configuration, or why not."""

    said: tuple[str, ...]
    config: str = ""
    why: str = ""


@define(eq=False)
class Segment:
    """One network with one dnsmasq. `deaf`: requests do not arrive. `no_tftp`: TFTP does not get through."""

    base: str = ""
    deaf: bool = False
    no_tftp: bool = False
    lines: list[str] = field(factory=list)
    guests: dict[str, Any] = field(factory=dict)

    # As prov has it.

    def at(self, settings: Any, base: str) -> Segment:
        """What prov asks for with its settings."""
        self.base = base
        return self

    def welcome(self, guest: Any) -> None:
        self.guests[guest.host] = guest

    def dismiss(self, host: str) -> None:
        self.guests.pop(host, None)

    def card(self, address: str) -> str:
        """Whose lease an address is, as a MAC."""
        return next((guest.macs[0] for guest in self.guests.values() if guest.address == address), "")

    def log(self) -> list[str]:
        return [*self.lines]

    # As machines have it.

    def boot(self, mac: str, uuid: str, fetch: Fetch) -> Booted:
        """From the firmware's first request to the kernel."""
        if self.deaf:
            return Booted(talos_says.PXE_NO_OFFER, why="Not Found")
        address = self._address(mac)
        if not address:
            self._note("dhcp", f"DHCPDISCOVER({INTERFACE}) {mac} ignored")
            return Booted(talos_says.PXE_NO_OFFER, why="Not Found")
        self._lease(mac, address)
        if self.no_tftp:
            self._note("tftp", f"failed sending /srv/tftp/ipxe.efi to {address}")
            said = tuple(line.format(address=address) for line in talos_says.PXE_NO_FILE)
            return Booted(said, why="Time out")
        self._note("tftp", f"sent /srv/tftp/ipxe.efi to {address}")
        self._lease(mac, address)
        return self._ipxe(mac, uuid, fetch)

    def _ipxe(self, mac: str, uuid: str, fetch: Fetch) -> Booted:
        said = [*talos_says.IPXE]
        url, asked = f"{self.base}/boot.ipxe", dict[str, str]()
        for _ in range(4):
            try:
                script = fetch(url).decode()
            except OSError as err:
                said.append(talos_says.ipxe_fetch(url, getattr(err, "code", 404)))
                return Booted(tuple(said), why="Not Found")
            said.append(talos_says.ipxe_fetch(url))
            script = script.replace("${netX/mac:hexhyp}", mac.replace(":", "-")).replace("${uuid}", uuid)
            if chain := re.search(r"^chain (\S+)", script, re.MULTILINE):
                url = chain[1]
                continue
            asked = dict(re.findall(r"^(kernel|initrd) (.*)$", script, re.MULTILINE))
            break
        for line in asked.values():
            place = line.split()[0]
            try:
                fetch(place)
            except OSError as err:
                said.append(talos_says.ipxe_fetch(place, getattr(err, "code", 404)))
                return Booted(tuple(said), why="Not Found")
            said.append(talos_says.ipxe_fetch(place))
        config = re.search(r"talos\.config=(\S+)", asked.get("kernel", ""))
        return Booted(tuple(said), config[1] if config else "")

    def _address(self, mac: str) -> str:
        for guest in self.guests.values():
            if mac in guest.macs:
                return str(guest.address)
        return ""

    def _lease(self, mac: str, address: str) -> None:
        self._note("dhcp", f"DHCPDISCOVER({INTERFACE}) {mac}")
        self._note("dhcp", f"DHCPOFFER({INTERFACE}) {address} {mac}")
        self._note("dhcp", f"DHCPREQUEST({INTERFACE}) {address} {mac}")
        self._note("dhcp", f"DHCPACK({INTERFACE}) {address} {mac}")

    def _note(self, part: str, text: str) -> None:
        self.lines.append(f"Nov 24 12:00:00 dnsmasq-{part}[4711]: {text}")
