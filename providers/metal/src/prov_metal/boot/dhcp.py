"""How dnsmasq is told to answer hosts that boot over the network, and nobody else. Pure.

    BIOS       ──► undionly.kpxe by TFTP ──┐
    UEFI       ──► ipxe.efi by TFTP ───────┤──► iPXE asks again ──► /boot.ipxe ──► the host's script
    UEFI HTTP  ──► /boot.efi, which is the host's program, by the address that it was given

A machine whose network card is not that of a host which is being made gets no answer at all. Client architectures are
those of RFC 4578 and of IANA's list: 0 is BIOS, 7 and 9 are UEFI, 16 is UEFI over HTTP; iPXE shows option 175.

As a proxy it answers without an address, and UEFI and menus of a BIOS a second time, at port 4011.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

BIOS, UEFI = "undionly.kpxe", "ipxe.efi"


@frozen
class DhcpSettings:
    """How machines get an address while they boot.

    interface  the network interface of this computer where they ask
    range      the addresses that are given out, `FIRST,LAST` and perhaps a netmask, where no other server does
    proxy      the network's address, such as `10.0.0.0`, where another server gives out addresses and this one only
               says what to boot
    router, dns
               told along with an address; empty for none
    ipxe       the folder with `undionly.kpxe` and `ipxe.efi`
    """

    interface: str
    range: str = ""
    proxy: str = ""
    router: str = ""
    dns: tuple[str, ...] = ()
    ipxe: str = "/usr/lib/ipxe"


@frozen
class Guest:
    """A host that may boot now.

    macs     its network cards
    address  which it gets, if that is one of the network; empty for any
    """

    host: str
    macs: tuple[str, ...]
    address: str = ""


@frozen
class Files:
    """Where dnsmasq has its files, all in one private folder."""

    folder: Path
    config: Path = field(init=False)
    hosts: Path = field(init=False)
    leases: Path = field(init=False)
    log: Path = field(init=False)
    tftp: Path = field(init=False)

    def __attrs_post_init__(self) -> None:
        for name in ("config", "hosts", "leases", "log", "tftp"):
            object.__setattr__(self, name, self.folder / name)


def wrong(settings: DhcpSettings) -> str:
    """What is wrong with the settings; empty where nothing is."""
    if bool(settings.range) == bool(settings.proxy):
        return "dhcp takes either `range`, to give out addresses, or `proxy`, where another server does"
    for text in (settings.interface, settings.range, settings.proxy, settings.router, *settings.dns):
        if any(sign.isspace() or not sign.isprintable() for sign in text):
            return f"dhcp: {text!r} has a space in it"
    return ""


def config(settings: DhcpSettings, base: str, files: Files, user: str, group: str) -> str:
    """The configuration file. `base` is how URLs of the boot service begin; `user` and `group` who dnsmasq runs as.

    They are those it is started by: the death of its parent is told only to a child that never changes who it is.
    """
    menu = f"{base}/boot.ipxe"
    lines = [
        "port=0",
        "keep-in-foreground",
        f"user={user}",
        f"group={group}",
        f"interface={settings.interface}",
        "except-interface=lo",
        "bind-interfaces",
        f"pid-file={files.folder / 'pid'}",
        f"dhcp-leasefile={files.leases}",
        f"dhcp-hostsfile={files.hosts}",
        f"log-facility={files.log}",
        "log-dhcp",
        "no-ping",
        "dhcp-ignore=tag:!known",
        "dhcp-match=set:ipxe,175",
        "dhcp-match=set:bios,option:client-arch,0",
        "dhcp-match=set:uefi,option:client-arch,7",
        "dhcp-match=set:uefi,option:client-arch,9",
        "dhcp-match=set:web,option:client-arch,16",
        f"dhcp-boot=tag:web,{base}/boot.efi",
        "enable-tftp",
        f"tftp-root={files.tftp}",
        "tftp-no-fail",
        f"dhcp-boot=tag:ipxe,{menu}{_server(base)}",
        f"dhcp-boot=tag:!ipxe,tag:bios,{BIOS}",
        f"dhcp-boot=tag:!ipxe,tag:uefi,{UEFI}",
    ]
    if settings.proxy:
        lines += [
            f"dhcp-range={settings.proxy},proxy",
            "dhcp-pxe-vendor=PXEClient,HTTPClient",
            f'pxe-service=tag:!ipxe,x86PC,"prov",{BIOS}',
            f'pxe-service=tag:!ipxe,X86-64_EFI,"prov",{UEFI}',
            f'pxe-service=tag:!ipxe,BC_EFI,"prov",{UEFI}',
        ]
    else:
        lines += ["dhcp-authoritative", f"dhcp-range={settings.range},10m", "dhcp-option-force=tag:web,60,HTTPClient"]
        lines += [f"dhcp-option=option:router{',' + settings.router if settings.router else ''}"]
        lines += [f"dhcp-option=option:dns-server{''.join(',' + server for server in settings.dns)}"]
    return "\n".join(lines) + "\n"


def _server(base: str) -> str:
    """The boot server that goes with a URL: without one, iPXE asks another time and boots nothing of a proxy's."""
    host = urlsplit(base).hostname or ""
    return "" if ":" in host else f",,{host}"


def hosts(guests: Mapping[str, Guest]) -> str:
    """The file of known network cards.

    It sets no tags: dnsmasq 2.90 reads a file with tags once, and falls over when it reads it again.
    """
    lines = [
        ",".join((*guest.macs, *([guest.address] if guest.address else []))) for _, guest in sorted(guests.items())
    ]
    return "".join(f"{line}\n" for line in lines)


def card(leases: str, address: str) -> str:
    """The network card that has an address, by the text of the file of leases; empty where nobody has it.

    A line is the end of the lease, the card, the address, the name and the id of the client.
    """
    found = [line.split() for line in leases.splitlines()]
    return next((words[1].lower() for words in found if len(words) > 2 and words[2] == address), "")


def neighbour(table: str, address: str, interface: str) -> str:
    """The network card that answers for an address at an interface, by the text of `/proc/net/arp`; else empty.

    After a line of titles come address, sort, flags, card, mask and interface; a card of zeros has not answered.
    """
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) == 6 and (words[0], words[5]) == (address, interface) and words[3].strip("0:"):
            return words[3].lower()
    return ""
