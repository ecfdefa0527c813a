"""The `Layer2VIPConfig` document: an address that one of the control planes has at a time.

Source: siderolabs/talos v1.14, `types/network/layer2_vip.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import ADDRESS, LINK_NAME, fixed
from provisioner.talos.settings.section import Document, Settings, document
from provisioner.talos.settings.shape import Key, Table

VIP = Key(
    Table(
        {
            "address": Key(fixed(ADDRESS), "the address", required=True),
            "link": Key(LINK_NAME, "the link that has it", required=True),
        }
    ),
    "an address that the control planes share; the endpoint of the cluster may be it",
    leads=True,
)


def vip(settings: Settings) -> Iterator[Document]:
    """The document, for a control plane."""
    yield document("Layer2VIPConfig", settings.get("address"), link=settings.get("link"))
