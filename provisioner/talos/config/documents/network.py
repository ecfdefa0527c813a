"""The links of a machine, as documents or as part of the root."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from provisioner.sdk import strip_origins
from provisioner.talos.config.documents.addressing import judge_routes
from provisioner.talos.config.documents.bond import BONDS, bond, judge_bond
from provisioner.talos.config.documents.bridge import BRIDGES, bridge
from provisioner.talos.config.documents.dhcp import wants_dhcp
from provisioner.talos.config.documents.dummy_link import DUMMIES, dummy_link
from provisioner.talos.config.documents.interfaces import interfaces
from provisioner.talos.config.documents.link import LINKS, link
from provisioner.talos.config.documents.link_alias import judge_select
from provisioner.talos.config.documents.vip import VIP, vip
from provisioner.talos.config.documents.vlan import VLANS, vlan
from provisioner.talos.settings.section import (
    Complaint,
    Document,
    Section,
    Settings,
    Target,
    items,
    plain,
    table,
    tables,
    word,
)
from provisioner.talos.versions import Contract

_KINDS = {"links": link, "bonds": bond, "vlans": vlan, "bridges": bridge, "dummies": dummy_link}
"""What makes the documents of each group."""


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    if not target.contract.link_documents:
        entries = interfaces(settings, leads=target.leads)
        if entries:
            yield {"machine": {"network": {"interfaces": entries}}}
        return
    for group, make in _KINDS.items():
        for name, each in tables(settings, group):
            yield from make(name, each)
    if target.leads and "vip" in settings:
        yield from vip(table(settings, "vip"))


def _judge(settings: Settings) -> Iterator[Complaint]:
    yield from _names(settings)
    yield from _members(settings)
    for group in _KINDS:
        for name, each in tables(settings, group):
            yield from judge_routes(each, group, name)
    for name, each in tables(settings, "links"):
        yield from judge_select(each, "links", name)
    for name, each in tables(settings, "bonds"):
        yield from judge_bond(each, "bonds", name)
        if not items(each, "links") and "links" in each:
            yield Complaint(("bonds", name, "links"), "a bond without links is none", "name its links")
    for name, each in tables(settings, "vlans"):
        if word(each, "link") == name:
            yield Complaint(("vlans", name, "link"), "a VLAN cannot be on itself", "name the link below it")


def _names(settings: Settings) -> Iterator[Complaint]:
    """One name for two links."""
    met: dict[str, str] = {}
    for group in _KINDS:
        for name in table(settings, group):
            if name in met:
                detail = f"{name!r} stands under `{met[name]}` and under `{group}`"
                yield Complaint((group, name), detail, "give one of them another name")
            met.setdefault(name, group)


def _members(settings: Settings) -> Iterator[Complaint]:
    """Links that belong to two others, or that have addresses although they belong to another."""
    masters: dict[str, str] = {}
    for group in ("bonds", "bridges"):
        for name, each in tables(settings, group):
            for number, item in enumerate(items(each, "links")):
                member, path = str(strip_origins(item)), (group, name, "links", number)
                if member in masters:
                    detail = f"{member!r} belongs to {masters[member]!r} already"
                    yield Complaint(path, detail, "let it belong to one of the two")
                elif member == name:
                    yield Complaint(path, "it cannot belong to itself", "name the links below it")
                masters.setdefault(member, name)
    for group in _KINDS:
        for name, each in tables(settings, group):
            if name in masters and (items(each, "addresses") or any(wants_dhcp(each))):
                detail = f"{name!r} belongs to {masters[name]!r} and has addresses of its own"
                yield Complaint((group, name), detail, f"give the addresses to {masters[name]!r}")
    held = word(table(settings, "vip"), "link")
    if held in masters:
        detail = f"{held!r} belongs to {masters[held]!r}, which has the addresses"
        yield Complaint(("vip", "link"), detail, f"name {masters[held]!r}")


def _limits(settings: Settings, contract: Contract) -> Iterator[Complaint]:
    if contract.link_documents:
        return
    for name, each in tables(settings, "vlans"):
        wanted = f"{word(each, 'link')}.{plain(each, 'id')}"
        if word(each, "link") in table(settings, "vlans"):
            detail = f"a VLAN on another VLAN cannot be written for Talos {contract}"
            yield Complaint(("vlans", name, "link"), detail, "use a cluster born with Talos 1.12 or later")
        elif "id" in each and name != wanted:
            detail = f"a node of Talos {contract} calls this VLAN {wanted}"
            yield Complaint(("vlans", name), detail, f"call it {wanted!r}")
    found = [name for name, each in tables(settings, "links") if table(each, "select")]
    for name, each in tables(settings, "bonds"):
        members = Counter(str(strip_origins(item)) in found for item in items(each, "links"))
        if len(members) == 2:
            detail = f"for Talos {contract} all links of a bond have names, or all are found by `select`"
            yield Complaint(("bonds", name, "links"), detail, "give all of them `select`, or none")


NETWORK = Section(
    {"links": LINKS, "bonds": BONDS, "vlans": VLANS, "bridges": BRIDGES, "dummies": DUMMIES, "vip": VIP},
    _compile,
    _judge,
    _limits,
)
