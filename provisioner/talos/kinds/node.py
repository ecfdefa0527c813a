"""What the kinds record of a node's configuration, with what follows from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from provisioner.sdk import freeze, output, prop, reveal
from provisioner.talos.api.access import Configured, Foreign, Outlook
from provisioner.talos.config.documents.hostname import hostname_in
from provisioner.talos.config.encode import ConfigUnreadable, decode, encode
from provisioner.talos.config.named import name_of

_PART = re.compile(r"^---(?=\s)", re.MULTILINE)
"""What parts the documents of a stream; no text inside one can look like it."""

_NAMING = re.compile(r"^ *hostname:|\bHostnameConfig\b", re.MULTILINE)


@frozen
class ConfigProps:
    """A node's configuration, and the machine it goes to.

    node       the node's name, which is also its name in Kubernetes and in etcd
    role       `controlplane` or `worker`
    machine    the remote identity of the machine: another machine means another delivery
    host       where the Talos API of the machine answers
    delivery   how the machine gets its configuration, see `model.design.Delivery`
    documents  the whole configuration; secrets stand in it as secret leaves
    wipe       the disks that are erased when the node leaves for good, such as `/dev/sda`
    """

    node: str = prop(immutable=True, readable=False)
    role: str = prop(immutable=True, readable=False)
    machine: str = prop(immutable=True, readable=False)
    host: str = prop(readable=False)
    delivery: str = prop(birth=True)
    documents: tuple[Mapping[str, Any], ...] = prop(named_by=name_of)
    wipe: tuple[str, ...] = prop(readable=False, default=())

    @property
    def plain(self) -> Any:
        """The documents with nothing concealed, shaped as `config.encode.decode` gives them."""
        return freeze(reveal(self.documents))

    @property
    def text(self) -> str:
        """The documents as the machine gets them."""
        return encode(reveal(self.documents))

    @property
    def hostname(self) -> str:
        """What the configuration calls the node: its name, unless a patch calls it otherwise."""
        return hostname_in(self.documents) or self.node


@frozen
class ConfigOutputs:
    """`digest` is the SHA-256 of the configuration's text, in hex."""

    id: str = output()
    digest: str = output(volatile=True)


def digest_of(text: str) -> str:
    """What `ConfigOutputs.digest` has for a configuration."""
    return hashlib.sha256(text.encode()).hexdigest()


def as_node(outlook: Outlook, *known: ConfigProps | None) -> Outlook:
    """The outlook, if it is on the node meant; a machine that is another node of the cluster is `Foreign`.

    Addresses are reused: at the one on record of a machine long gone, another node may live by now.
    """
    names = {props.hostname for props in known if props is not None}
    if not names or not isinstance(outlook, Configured):
        return outlook
    found = _hostname_of(outlook.active)
    return Foreign(f"it is the node {found} of this cluster") if found and found not in names else outlook


def _hostname_of(text: str) -> str:
    """The hostname that a configuration's text sets; empty where it sets none, or cannot be read.

    Only the documents that may say so are decoded: the others are long, and every look at a node comes this way.
    """
    parts = [part for part in _PART.split(text) if _NAMING.search(part)]
    try:
        return hostname_in(document for part in parts for document in decode(part))
    except ConfigUnreadable:
        return ""
