"""Rules about addresses."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from itertools import combinations
from typing import TypeAlias

from attrs import frozen

from provisioner.cluster.lint.subject import Complaint, Subject, at, listed, of_kind, root_of, text
from provisioner.cluster.stages import Staged
from provisioner.model.value import Value, strip_origins

Interface: TypeAlias = IPv4Interface | IPv6Interface
Network: TypeAlias = IPv4Network | IPv6Network

_LINKS = ("LinkConfig", "BondConfig", "VLANConfig", "BridgeConfig", "DummyLinkConfig", "VethConfig", "VRFConfig")
_LOOPBACK = "lo"
_VIPS = ("Layer2VIPConfig", "HCloudVIPConfig")


@frozen
class Link:
    """A link with its static addresses, and the virtual addresses it shall take, as they stand in the file.

    `inner` are links that lead nowhere: the same address may be on those of many nodes, and routes choose among them.
    """

    addresses: tuple[Value, ...]
    vips: tuple[Value, ...]
    inner: bool = False

    @property
    def interfaces(self) -> tuple[tuple[Interface, Value], ...]:
        """The static addresses that can be read, each with how it stands in the file."""
        return tuple((found, value) for value in self.addresses if (found := _interface(text(value))) is not None)


def vip_outside_subnet(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """A virtual address outside the networks of its link is in nobody's neighbourhood: no packet finds the way to it.

    Links without static addresses are passed over, since what DHCP will give is not known.
    """
    for link in _links(node):
        for vip in link.vips:
            address = _address(text(vip))
            if address is None or not link.interfaces:
                continue
            if not any(address in interface.network for interface, _ in link.interfaces):
                networks = ", ".join(str(interface.network) for interface, _ in link.interfaces)
                yield Complaint(
                    f"{address} is not in {networks}",
                    subject.place(node, vip),
                    "take an address of the link's network, and one that nothing else has",
                )


def address_twice(subject: Subject) -> Iterator[Complaint]:
    """Two machines with one address disturb each other; a patch for several nodes gives each of them what it says."""
    met: dict[str, tuple[Staged, Value]] = {}
    for node in subject.nodes:
        for found, value in (each for link in _links(node) if not link.inner for each in link.interfaces):
            if found.ip.is_loopback or found.ip.is_link_local:
                continue
            other, _ = met.setdefault(str(found.ip), (node, value))
            if other.node.name != node.node.name:
                yield Complaint(
                    f"{found.ip} is an address of {other.node.name} and of {node.node.name}",
                    subject.place(node, value),
                    "give each node a patch with its own address: `node: NAME`",
                )


def networks_overlap(node: Staged, subject: Subject) -> Iterator[Complaint]:
    """Packets to an address that belongs to two networks arrive in one of them only."""
    networks = [*_cluster_networks(node), *_link_networks(node)]
    for (one, first, here), (other, second, there) in combinations(networks, 2):
        if one != other and first.version == second.version and first.overlaps(second):
            yield Complaint(
                f"{first} of the {one} and {second} of the {other} overlap",
                subject.place(node, (there, here)),
                "choose other networks for pods and services; the bound ones of a cluster that stands cannot change",
            )


def _cluster_networks(node: Staged) -> Iterator[tuple[str, Network, Value]]:
    documents = [
        at(root_of(node), "cluster", "network"),
        *(document for _, document in of_kind(node, "KubeNetworkConfig")),
    ]
    for document in documents:
        for key, what in (("podSubnets", "pods"), ("serviceSubnets", "services")):
            for value in listed(at(document, key)):
                found = _network(text(value))
                if found is not None:
                    yield what, found, value


def _link_networks(node: Staged) -> Iterator[tuple[str, Network, Value]]:
    for link in _links(node):
        yield from (("nodes", interface.network, value) for interface, value in link.interfaces)


def _links(node: Staged) -> Iterator[Link]:
    """Every link of a node, in both forms."""
    for entry in listed(at(root_of(node), "machine", "network", "interfaces")):
        yield _old_link(entry)
        yield from map(_old_link, listed(at(entry, "vlans")))
    vips: dict[str, list[Value]] = {}
    for _, document in of_kind(node, *_VIPS):
        vips.setdefault(text(document.get("link")), []).append(document["name"])
    for identity, document in of_kind(node, *_LINKS):
        addresses = tuple(at(entry, "address") for entry in listed(document.get("addresses")))
        inner = identity.kind == "DummyLinkConfig" or identity.name == _LOOPBACK
        yield Link(addresses, tuple(vips.get(identity.name, ())), inner)


def _old_link(entry: Value) -> Link:
    vip = at(entry, "vip", "ip")
    addresses = listed(at(entry, "addresses"))
    inner = text(at(entry, "interface")) == _LOOPBACK or strip_origins(at(entry, "dummy")) is True
    return Link(addresses, () if vip is None else (vip,), inner)


def _interface(written: str) -> Interface | None:
    try:
        return ip_interface(written)
    except ValueError:
        return None


def _address(written: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(written)
    except ValueError:
        return None


def _network(written: str) -> Network | None:
    try:
        return ip_network(written, strict=False)
    except ValueError:
        return None
