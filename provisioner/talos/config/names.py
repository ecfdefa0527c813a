"""Names and addresses that a node's certificates are good for, where it is reached by others than it knows itself.

Source: siderolabs/talos v1.13 and v1.14, `generate.Input.AdditionalSubjectAltNames`: they go into the certificate of
the Talos API and, on control planes, into that of the Kubernetes API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.sdk import Node, Value
from provisioner.talos.versions import Contract


def good_for(names: tuple[Value, ...], node: Node, contract: str) -> Iterator[tuple[Mapping[str, Value], ...]]:
    """Patches for the generated configuration; none where there are no such names."""
    if not names:
        return
    yield ({"machine": {"certSANs": names}},)
    if node.role != "controlplane":
        return
    if Contract.parse(contract).api_server_in_root:
        yield ({"cluster": {"apiServer": {"certSANs": names}}},)
    else:
        yield ({"apiVersion": "v1alpha1", "kind": "KubeAPIServerConfig", "certExtraSANs": names},)
