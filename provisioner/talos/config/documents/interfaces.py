"""The interfaces of the root document, which is where contracts before 1.12 have all links.

An entry holds a link with its VLANs and its shared address. A link that is found by what it is has no name there:
its VLANs are part of its entry, a bond of such links repeats how they are found, and one that belongs to a bridge
says so itself. Source: siderolabs/talos v1.11, `types/v1alpha1` (Device) and `v1alpha1_validation.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from provisioner.sdk import Value, strip_origins
from provisioner.talos.config.documents.addressing import interface_fields
from provisioner.talos.config.documents.bond import interface_bond
from provisioner.talos.config.documents.bridge import interface_bridge
from provisioner.talos.config.documents.dhcp import interface_dhcp
from provisioner.talos.config.documents.link_alias import device_selector
from provisioner.talos.config.documents.vlan import interface_vlan
from provisioner.talos.settings.section import Settings, items, table, tables, word


def interfaces(settings: Settings, *, leads: bool) -> tuple[Mapping[str, Value], ...]:
    """The entries, in the order of the file; `leads` says whether the node has a part in the shared address."""
    return tuple(_Interfaces(settings, table(settings, "vip") if leads else {}).entries())


@frozen
class _Interfaces:
    """All links of one node, and the shared address where there is one."""

    settings: Settings
    vip: Settings

    def entries(self) -> Iterator[Mapping[str, Value]]:
        selectors = self._selectors()
        for name, link in tables(self.settings, "links"):
            yield self._entry(name, link, selectors)
        for name, bond in tables(self.settings, "bonds"):
            yield {**self._entry(name, bond), "bond": interface_bond(bond, selectors)}
        for name, bridge in tables(self.settings, "bridges"):
            named = [item for item in items(bridge, "links") if strip_origins(item) not in selectors]
            yield {**self._entry(name, bridge), "bridge": interface_bridge(bridge, named)}
        for name, dummy in tables(self.settings, "dummies"):
            yield {**self._entry(name, dummy), "dummy": True}
        for name in self._only_mentioned():
            yield self._entry(name, self._unsaid())

    def _entry(self, name: str, link: Settings, selectors: Mapping[str, Value] | None = None) -> dict[str, Value]:
        """What all entries have; the rest is added to it."""
        selector = (selectors or {}).get(name)
        entry: dict[str, Value] = {"interface": name} if selector is None else {"deviceSelector": selector}
        entry |= interface_fields(link) | interface_dhcp(link)
        master = self._bridge_of(name)
        if selector is not None and master:
            entry["bridgePort"] = {"master": master}
        if word(self.vip, "link") == name:
            entry["vip"] = {"ip": self.vip.get("address")}
        vlans = tuple(
            interface_vlan(vlan, self.vip.get("address") if word(self.vip, "link") == called else None)
            for called, vlan in tables(self.settings, "vlans")
            if word(vlan, "link") == name
        )
        return {**entry, "vlans": vlans} if vlans else entry

    def _selectors(self) -> dict[str, Value]:
        found = ((name, device_selector(link)) for name, link in tables(self.settings, "links"))
        return {name: selector for name, selector in found if selector}

    def _bridge_of(self, name: str) -> str:
        for bridge, settings in tables(self.settings, "bridges"):
            if name in [strip_origins(item) for item in items(settings, "links")]:
                return bridge
        return ""

    def _only_mentioned(self) -> tuple[str, ...]:
        """Links that VLANs or the shared address are on, and that have no settings of their own."""
        mentioned = [word(vlan, "link") for _, vlan in tables(self.settings, "vlans")] + [word(self.vip, "link")]
        known = {
            name for kind in ("links", "bonds", "bridges", "dummies", "vlans") for name in table(self.settings, kind)
        }
        return tuple(dict.fromkeys(name for name in mentioned if name and name not in known))

    def _unsaid(self) -> Settings:
        """The settings of a link that is mentioned only: by itself Talos asks for an address while no link has any.

        An entry among the interfaces would end that, so it says what goes without saying in later releases.
        """
        configured = any(table(self.settings, kind) for kind in ("links", "bonds", "bridges", "dummies", "vlans"))
        return {} if configured else {"dhcp": {}}
