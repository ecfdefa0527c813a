"""What the kinds record of a node's configuration, with what follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from provisioner.sdk import freeze, output, prop, reveal
from provisioner.talos.config.encode import encode


@frozen
class ConfigProps:
    """A node's configuration, and the machine it goes to.

    node       the node's name, which is also its name in Kubernetes and in etcd
    role       `controlplane` or `worker`
    machine    the remote identity of the machine: another machine means another delivery
    host       where the Talos API of the machine answers
    delivery   whether the machine gets its configuration with its birth or through the maintenance API
    documents  the whole configuration; secrets stand in it as secret leaves
    """

    node: str = prop(immutable=True, readable=False)
    role: str = prop(immutable=True, readable=False)
    machine: str = prop(immutable=True, readable=False)
    host: str = prop(readable=False)
    delivery: str = prop(birth=True)
    documents: tuple[Mapping[str, Any], ...] = prop()

    @property
    def plain(self) -> Any:
        """The documents with nothing concealed, shaped as `config.encode.decode` gives them."""
        return freeze(reveal(self.documents))

    @property
    def text(self) -> str:
        """The documents as the machine gets them."""
        return encode(reveal(self.documents))


@frozen
class ConfigOutputs:
    """`digest` is the SHA-256 of the configuration's text, in hex."""

    id: str = output()
    digest: str = output(volatile=True)


def digest_of(text: str) -> str:
    """What `ConfigOutputs.digest` has for a configuration."""
    return hashlib.sha256(text.encode()).hexdigest()
