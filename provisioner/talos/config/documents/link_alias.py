"""The `LinkAliasConfig` document: a name of one's own for a link found by what it is.

Source: siderolabs/talos v1.14, `types/network/link_alias.go`; the fields of links in CEL are those of
`resource/definitions/network`. For the root document `NetworkDeviceSelector` of v1.11.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value, strip_origins
from provisioner.talos.settings.expression import expression
from provisioner.talos.settings.forms import MAC_PATTERN, TEXT
from provisioner.talos.settings.leaf import quoted, together
from provisioner.talos.settings.section import Complaint, Document, Settings, document, renamed, table
from provisioner.talos.settings.shape import Key, Table

SELECT = Key(
    Table(
        {
            "mac": Key(MAC_PATTERN, "its hardware address"),
            "permanent_mac": Key(MAC_PATTERN, "the hardware address it was made with"),
            "driver": Key(TEXT, "its driver; `*` stands for anything"),
            "bus_path": Key(TEXT, "its place on the bus; `*` stands for anything"),
            "pci_id": Key(TEXT, "vendor and product; `*` stands for anything"),
            "match": Key(
                expression("link"),
                "over `link`",
                needs=lambda contract: contract.link_documents,
                instead="use the other keys of `select`",
            ),
        },
        whole=True,
    ),
    "finds the link by what it is; its key is then a name of your own for it",
)

_FIELDS = {
    "mac": "mac(link.hardware_addr)",
    "permanent_mac": "mac(link.permanent_addr)",
    "driver": "link.driver",
    "bus_path": "link.bus_path",
    "pci_id": "link.pciid",
}
_LEGACY = {
    "bus_path": "busPath",
    "mac": "hardwareAddr",
    "permanent_mac": "permanentAddr",
    "pci_id": "pciID",
    "driver": "driver",
}


def link_alias(name: str, link: Settings) -> Iterator[Document]:
    """The document of a link that is found by what it is; none for one that has its name from the kernel."""
    select = table(link, "select")
    terms = [_term(field, select[key]) for key, field in _FIELDS.items() if key in select]
    if "match" in select:
        terms.append(together("(", select["match"], ")") if terms else select["match"])
    if terms:
        parts = [part for term in terms for part in (" && ", term)][1:]
        yield document("LinkAliasConfig", name, selector={"match": together(*parts)})


def device_selector(link: Settings) -> dict[str, Value]:
    """The same for an entry among the root document's interfaces; empty for a link with a name."""
    return renamed(table(link, "select"), _LEGACY)


def _term(field: str, value: Value) -> Value:
    text = strip_origins(value)
    if isinstance(text, str) and "*" in text:
        return together("glob(", quoted(value), f", {field})")
    return together(f"{field} == ", quoted(value))


def judge_select(link: Settings, *path: str) -> Iterator[Complaint]:
    """A selector that selects nothing."""
    if "select" in link and not table(link, "select"):
        yield Complaint((*path, "select"), "it says nothing about the link", "give a `mac`, or another key")
