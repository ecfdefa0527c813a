"""The `DummyLinkConfig` document: a link that leads nowhere, to hold addresses.

Source: siderolabs/talos v1.14, `types/network/dummy.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.config.documents.addressing import COMMON, link_fields
from provisioner.talos.settings.forms import LINK_NAME
from provisioner.talos.settings.section import Document, Settings, document
from provisioner.talos.settings.shape import Key, Named, Table

DUMMIES = Key(
    Named(LINK_NAME, Table({key: shape for key, shape in COMMON.items() if key != "dhcp"})),
    "links that lead nowhere, to hold addresses, by name",
)


def dummy_link(name: str, settings: Settings) -> Iterator[Document]:
    """The document of one such link."""
    yield document("DummyLinkConfig", name, **link_fields(settings))
