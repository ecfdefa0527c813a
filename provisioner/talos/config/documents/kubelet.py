"""The `KubeletConfig` document: what runs pods, and the address it gives for the node.

Source: siderolabs/talos v1.14, `types/k8s/kubelet.go` and `node.go`; for the root document `KubeletConfig` of v1.13.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import ENDPOINT_FILTER, LOOSE, TEXT
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, items, present, table
from provisioner.talos.settings.shape import Key, Many, Named, Table

_KUBELET = Key(
    Table(
        {
            "node_subnets": Key(
                Many(ENDPOINT_FILTER), "networks of which the node's address is one; `!` before one leaves it out"
            ),
            "extra_args": Key(Named(TEXT, LOOSE), "further arguments, without the dashes"),
        }
    ),
    "what runs pods, and the address it gives for the node",
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    kubelet = table(settings, "kubelet")
    address = present(validSubnets=items(kubelet, "node_subnets") or None)
    arguments = table(kubelet, "extra_args")
    if target.contract.kubernetes_by_documents:
        if address:
            yield document("KubeNodeConfig", nodeIP=address)
        if arguments:
            yield document("KubeletConfig", extraArgs=arguments)
        return
    fields = present(extraArgs=arguments, nodeIP=address)
    if fields:
        yield {"machine": {"kubelet": fields}}


KUBELET = Section({"kubelet": _KUBELET}, _compile)
