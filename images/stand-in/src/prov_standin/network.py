"""The interfaces of the machine: which there are, and giving them addresses, a route and name servers."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from prov_standin import dhcp
from prov_standin.console import say

_SIOCADDRT, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x890B, 0x8914, 0x8916, 0x891C
_UP: Final = 0x1 | 0x40
_GATEWAY: Final = 0x1 | 0x2
USER_NETWORK: Final = ipaddress.ip_network("10.0.2.0/24")
"""Where every virtual machine of QEMU's user network has the same address, which therefore names none of them."""


@dataclass(frozen=True)
class Link:
    """An Ethernet interface."""

    name: str
    mac: str


@dataclass(frozen=True)
class Setup:
    """How one interface shall be: by DHCP, or with `addresses` such as 10.5.0.2/24 and a `gateway`, or both."""

    dhcp: bool = True
    addresses: tuple[str, ...] = ()
    gateway: str = ""


@dataclass
class Network:
    """What the interfaces have got. `addresses` are (interface, address with prefix), in order of interfaces."""

    addresses: list[tuple[str, str]] = field(default_factory=list)
    hostname: str = ""
    servers: list[str] = field(default_factory=list)

    @property
    def own(self) -> str:
        """The address others reach this machine at: the first one that is not of QEMU's user network."""
        plain = [text.partition("/")[0] for _, text in self.addresses]
        good = [text for text in plain if ipaddress.ip_address(text) not in USER_NETWORK]
        return (good or plain or ["127.0.0.1"])[0]


def links() -> list[Link]:
    """The Ethernet interfaces, by name."""
    found = []
    for place in sorted(Path("/sys/class/net").iterdir()):
        if (place / "type").read_text().strip() == "1" and place.name != "lo":
            found.append(Link(place.name, (place / "address").read_text().strip()))
    return found


def bring_up(wanted: Mapping[str, Setup], servers: Iterable[str] = ()) -> Network:
    """Sets up all interfaces; those that `wanted` does not name ask for an address. Errors go to the console."""
    network = Network(servers=list(servers))
    _flags("lo")
    for link in links():
        try:
            _flags(link.name)
            _set_up(link, wanted.get(link.name, Setup()), network)
        except OSError as err:
            say(f"network {link.name}: {err.strerror or err}")
    _name_servers(network.servers)
    return network


def from_arguments(arguments: Mapping[str, list[str]]) -> tuple[dict[str, Setup], list[str], str]:
    """Set-ups, name servers and host name of the kernel's `ip=client:server:gw:mask:host:dev:auto:dns:dns`."""
    wanted: dict[str, Setup] = {}
    servers: list[str] = []
    hostname = (arguments.get("talos.hostname") or [""])[-1]
    for text in arguments.get("ip", ()):
        parts = [*text.split(":"), *([""] * 10)]
        client, gateway, mask, host, device = parts[0], parts[2], parts[3], parts[4], parts[5]
        hostname = hostname or host
        if not client or not _is_address(client):
            continue
        prefix = ipaddress.ip_network(f"0.0.0.0/{mask or '255.255.255.0'}").prefixlen
        name = device or next((link.name for link in links()), "eth0")
        wanted[name] = Setup(dhcp=False, addresses=(f"{client}/{prefix}",), gateway=gateway)
        servers += [server for server in parts[7:9] if server]
    return wanted, servers, hostname


def from_config(documents: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Setup], list[str]]:
    """Set-ups and name servers of a machine configuration: v1alpha1 interfaces and LinkConfig documents."""
    wanted: dict[str, Setup] = {}
    servers: list[str] = []
    for document in documents:
        section = _mapping(_mapping(document, "machine"), "network")
        servers += [str(server) for server in section.get("nameservers") or ()]
        for item in section.get("interfaces") or ():
            name = _name(item)
            if name:
                wanted[name] = _setup(item, wanted.get(name), dhcp=bool(item.get("dhcp")))
        if document.get("kind") == "LinkConfig" and document.get("name"):
            name = str(document["name"])
            wanted[name] = _setup(document, wanted.get(name), dhcp=False)
        if document.get("kind") == "DHCPv4Config" and document.get("name"):
            name = str(document["name"])
            wanted[name] = replace(wanted.get(name, Setup()), dhcp=True)
        if document.get("kind") == "ResolverConfig":
            servers += [str(item.get("address")) for item in document.get("nameservers") or ()]
    return wanted, servers


def _setup(item: Mapping[str, Any], before: Setup | None, *, dhcp: bool) -> Setup:
    addresses = [
        str(part.get("address")) if isinstance(part, dict) else str(part) for part in item.get("addresses") or ()
    ]
    if not addresses and item.get("address"):
        addresses = [str(item["address"])]
    gateway = ""
    for route in item.get("routes") or ():
        if str(route.get("network") or route.get("destination") or "0.0.0.0/0") == "0.0.0.0/0":
            gateway = str(route.get("gateway") or gateway)
    asked = dhcp or (before is not None and before.dhcp)
    return Setup(dhcp=asked, addresses=tuple(addresses), gateway=gateway)


def _name(item: Mapping[str, Any]) -> str:
    """The interface an entry means, by name, hardware address or driver-free selector."""
    mac = str(_mapping(item, "deviceSelector").get("hardwareAddr") or "").lower()
    if mac:
        return next((link.name for link in links() if link.mac == mac), "")
    name = str(item.get("interface") or "")
    present = [link.name for link in links()]
    return name if name in present or len(present) != 1 else present[0]


def _set_up(link: Link, wanted: Setup, network: Network) -> None:
    for text in wanted.addresses:
        _address(link, text, network, number=sum(name == link.name for name, _ in network.addresses))
    if wanted.gateway:
        _route(wanted.gateway)
    if not wanted.dhcp or wanted.addresses:
        return
    lease = dhcp.ask(link.name, bytes.fromhex(link.mac.replace(":", "")))
    if lease is None:
        say(f"network {link.name}: nobody answers DHCP")
        return
    _address(link, f"{lease.address}/{lease.prefix}", network)
    network.hostname = network.hostname or lease.hostname
    network.servers += lease.servers
    if lease.router:
        _route(lease.router)


def _address(link: Link, text: str, network: Network, number: int = 0) -> None:
    interface = ipaddress.ip_interface(text)
    if interface.version != 4:
        say(f"network {link.name}: {text} is not IPv4 and left out")
        return
    name = link.name if number == 0 else f"{link.name}:{number}"
    _ioctl(_SIOCSIFADDR, name, _socket_address(str(interface.ip)))
    _ioctl(_SIOCSIFNETMASK, name, _socket_address(str(interface.netmask)))
    network.addresses.append((link.name, text))
    say(f"network {link.name} {text}")


def _route(gateway: str) -> None:
    nowhere = _socket_address("0.0.0.0")  # noqa: S104  (the default route)
    entry = struct.pack(
        "Q16s16s16sHhQQhQQQH", 0, nowhere, _socket_address(gateway), nowhere, _GATEWAY, 0, 0, 0, 0, 0, 0, 0, 0
    )
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, _SIOCADDRT, entry)
    except FileExistsError:
        pass


def _flags(name: str) -> None:
    _ioctl(_SIOCSIFFLAGS, name, struct.pack("H", _UP))


def _ioctl(number: int, name: str, value: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, number, name.encode().ljust(16, b"\0") + value.ljust(24, b"\0"))


def _socket_address(text: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))


def _name_servers(servers: Iterable[str]) -> None:
    Path("/run/etc/resolv.conf").write_text("".join(f"nameserver {server}\n" for server in servers))


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _mapping(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = tree.get(name)
    return value if isinstance(value, Mapping) else {}
