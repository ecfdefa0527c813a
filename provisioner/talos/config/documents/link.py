"""The `LinkConfig` document: a link that the machine has.

Source: siderolabs/talos v1.14, `types/network/link.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.config.documents.addressing import COMMON, link_fields
from provisioner.talos.config.documents.dhcp import dhcp
from provisioner.talos.config.documents.link_alias import SELECT, link_alias
from provisioner.talos.settings.forms import LINK_NAME
from provisioner.talos.settings.section import Document, Settings, document
from provisioner.talos.settings.shape import Key, Named, Table

LINKS = Key(
    Named(LINK_NAME, Table({"select": SELECT, **COMMON})),
    "links the machine has, by the kernel's name for them, or by one of yours together with `select`",
)


def link(name: str, settings: Settings) -> Iterator[Document]:
    """The documents of one link."""
    yield from link_alias(name, settings)
    yield document("LinkConfig", name, **link_fields(settings))
    yield from dhcp(name, settings)
