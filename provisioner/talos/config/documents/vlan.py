"""The `VLANConfig` document: a part of the traffic of a link.

Source: siderolabs/talos v1.14, `types/network/vlan.go`; for the root document `Vlan` of v1.11, which names the link
after its parent and number (`nethelpers.VLANLinkName`).
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.config.documents.addressing import COMMON, interface_fields, link_fields
from provisioner.talos.config.documents.dhcp import dhcp, interface_dhcp
from provisioner.talos.settings.forms import LINK_NAME, fixed, one_of, whole
from provisioner.talos.settings.section import Document, Settings, document, renamed
from provisioner.talos.settings.shape import Key, Named, Table

VLANS = Key(
    Named(
        LINK_NAME,
        Table(
            {
                "link": Key(LINK_NAME, "the link whose traffic it is part of", required=True),
                "id": Key(fixed(whole(1, 4094)), "its number", required=True),
                "mode": Key(
                    one_of("802.1q", "802.1ad"),
                    "how packets are marked; `802.1q` unless it says otherwise",
                    needs=lambda contract: contract.link_documents,
                ),
                **COMMON,
            }
        ),
    ),
    "VLANs, by name; up to 1.11 the name must be that of the link with the number, as in `eth0.10`",
)


def vlan(name: str, settings: Settings) -> Iterator[Document]:
    """The documents of one VLAN."""
    fields = renamed(settings, {"id": "vlanID", "mode": "vlanMode", "link": "parent"}) | link_fields(settings)
    yield document("VLANConfig", name, **fields)
    yield from dhcp(name, settings)


def interface_vlan(settings: Settings, vip: Value) -> dict[str, Value]:
    """The VLAN below its link's entry among the root document's interfaces; `vip` is None without one."""
    fields = {"vlanId": settings.get("id"), **interface_fields(settings), **interface_dhcp(settings)}
    return fields if vip is None else {**fields, "vip": {"ip": vip}}
