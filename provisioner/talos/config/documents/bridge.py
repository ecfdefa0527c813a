"""The `BridgeConfig` document: links that see each other's traffic.

Source: siderolabs/talos v1.14, `types/network/bridge.go`; for the root document `Bridge` of v1.11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioner.sdk import Value
from provisioner.talos.config.documents.addressing import COMMON, link_fields
from provisioner.talos.config.documents.dhcp import dhcp
from provisioner.talos.settings.forms import FLAG, LINK_NAME, MAC
from provisioner.talos.settings.section import Document, Settings, document, items, present, renamed
from provisioner.talos.settings.shape import Key, Many, Named, Table

BRIDGES = Key(
    Named(
        LINK_NAME,
        Table(
            {
                "links": Key(Many(LINK_NAME), "the links it joins; there may be none"),
                "stp": Key(FLAG, "whether it looks for circles (spanning tree)"),
                "vlan_filtering": Key(FLAG, "whether it keeps VLANs apart"),
                "mac": Key(MAC, "its hardware address", needs=lambda contract: contract.link_documents),
                **COMMON,
            }
        ),
    ),
    "bridges, by name",
)


def bridge(name: str, settings: Settings) -> Iterator[Document]:
    """The documents of one bridge."""
    fields = renamed(settings, {"mac": "hardwareAddr"}) | present(
        links=items(settings, "links") or None,
        stp=renamed(settings, {"stp": "enabled"}),
        vlan=renamed(settings, {"vlan_filtering": "filtering"}),
    )
    yield document("BridgeConfig", name, **fields, **link_fields(settings))
    yield from dhcp(name, settings)


def interface_bridge(settings: Settings, members: Sequence[Value]) -> dict[str, Value]:
    """The `bridge` of an entry among the root document's interfaces, with those of its links that have names."""
    return {
        "interfaces": tuple(members),
        **present(
            stp=renamed(settings, {"stp": "enabled"}),
            vlan=renamed(settings, {"vlan_filtering": "vlanFiltering"}),
        ),
    }
