"""The built-in provider `talos`: what happens inside machines, and with the cluster they form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import field, frozen

from provisioner.sdk import PROTOCOL, AnyKind, Function
from provisioner.talos.config.encode import encode
from provisioner.talos.config.pem import pem
from provisioner.talos.kinds.bootstrap import BootstrapKind
from provisioner.talos.kinds.config import ConfigKind
from provisioner.talos.kinds.health import HealthGate
from provisioner.talos.kinds.schematic import SchematicKind
from provisioner.talos.kinds.secrets import SecretsKind
from provisioner.talos.kinds.spare import QuorumGate
from provisioner.talos.settings.leaf import BASE64, encode_base64

if TYPE_CHECKING:
    from provisioner.talos.api.cluster import Cluster


@frozen
class Settings:
    """A cluster, as far as it is known. The core composes it; users write none of it.

    cluster         its name
    lineage         of the state it is on record in
    secrets         the bundle, in the layout of `secrets.yaml`; empty before it is made
    control_planes  host by node name, of those that have a host
    nodes           the same for all nodes
    endpoint        of the Kubernetes API: a host or URL
    """

    cluster: str = ""
    lineage: str = ""
    secrets: Mapping[str, Any] = field(factory=dict, repr=False)
    control_planes: Mapping[str, str] = field(factory=dict)
    nodes: Mapping[str, str] = field(factory=dict)
    endpoint: str = ""


class TalosProvider:
    """Satisfies `sdk.Provider`."""

    name: ClassVar[str] = "talos"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = Settings
    kinds: ClassVar[Mapping[str, AnyKind]] = {
        "talos.bootstrap": BootstrapKind(),
        "talos.config": ConfigKind(),
        "talos.health": HealthGate(),
        "talos.quorum": QuorumGate(),
        "talos.schematic": SchematicKind(),
        "talos.secrets": SecretsKind(),
    }
    functions: ClassVar[Mapping[str, Function]] = {"talos.encode": encode, "talos.pem": pem, BASE64: encode_base64}

    def connect(self, settings: Settings) -> Cluster:
        """Access to the cluster's machines; nothing is opened before the first question."""
        # Loaded here because gRPC and the crypto library are heavy, and many commands ask no machine.
        from provisioner.talos.api.cluster import Cluster
        from provisioner.talos.api.links import links_of
        from provisioner.talos.pki.bundle import from_tree

        return Cluster(
            settings.cluster,
            links_of(from_tree(settings.secrets) if settings.secrets else None),
            control_planes=settings.control_planes,
            nodes=settings.nodes,
            endpoint=settings.endpoint,
        )


provider = TalosProvider()
