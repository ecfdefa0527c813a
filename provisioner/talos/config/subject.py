"""The node that a configuration is made for, with all that goes into it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from provisioner.sdk import Call, Node, Topology, Value
from provisioner.talos.versions import Contract

Secrets = Callable[[str], Value]
"""A leaf for a path in the secrets bundle's tree, such as `certs.os.crt`."""


@frozen
class Subject:
    """What the generator knows.

    endpoint      of the Kubernetes API: a host or a URL, or a reference to a host
    install_disk  None where the image boots in place
    platform      as Talos names the place, such as `aws`
    """

    node: Node
    topology: Topology
    endpoint: Value
    install_disk: str | None
    platform: str
    secrets: Secrets

    @property
    def leads(self) -> bool:
        """Whether the node is a control plane."""
        return self.node.role == "controlplane"

    @property
    def contract(self) -> Contract:
        """Which shape its configuration has."""
        return Contract.parse(self.topology.talos.contract)

    @property
    def kubernetes(self) -> str:
        """The version of Kubernetes, with `v`."""
        return f"v{self.topology.talos.kubernetes.removeprefix('v')}"

    def pair(self, path: str) -> dict[str, Value]:
        """Certificate and key as the root document has them: each its PEM text in base64."""
        return {"crt": self.secrets(f"{path}.crt"), "key": self.secrets(f"{path}.key")}

    def pem(self, path: str) -> Value:
        """A certificate or key as other documents have it: its PEM text as it is."""
        return Call("talos.pem", (self.secrets(path),))

    def pem_pair(self, path: str) -> dict[str, Value]:
        """Certificate and key as other documents have them."""
        return {"cert": self.pem(f"{path}.crt"), "key": self.pem(f"{path}.key")}
