"""The `KubeNodeConfig` document: how a node presents itself to Kubernetes.

Source: siderolabs/talos v1.14, `types/k8s/node.go`; for the root document `machine.nodeLabels` and its siblings.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import LABEL_KEY, LABEL_VALUE, LOOSE, TAINT
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, renamed
from provisioner.talos.settings.shape import Key, Named

_KEYS = {
    "labels": Key(Named(LABEL_KEY, LABEL_VALUE), "labels of the node"),
    "annotations": Key(Named(LABEL_KEY, LOOSE), "annotations of the node"),
    "taints": Key(Named(LABEL_KEY, TAINT), "taints of the node: an effect, or `value:effect`"),
}


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    if target.contract.kubernetes_by_documents:
        fields = renamed(settings, {key: key for key in _KEYS})
        if fields:
            yield document("KubeNodeConfig", **fields)
        return
    names = {"labels": "nodeLabels", "annotations": "nodeAnnotations", "taints": "nodeTaints"}
    machine = renamed(settings, names)
    if machine:
        yield {"machine": machine}


NODE_REGISTRATION = Section(_KEYS, _compile)
