"""The names that a node's certificates are good for, beyond those it has by itself.

They go into the certificate of the Talos API, and on control planes into that of the Kubernetes API as well.
Source: siderolabs/talos v1.14, `generate` (additional subject alternative names) and `types/k8s/apiserver.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import SERVER
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, items
from provisioner.talos.settings.shape import Key, Many

_SANS = Key(Many(SERVER), "further names and addresses that its certificates are good for")


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    names = items(settings, "certificate_sans")
    if not names:
        return
    root: dict[str, Document] = {"machine": {"certSANs": names}}
    if target.leads and target.contract.api_server_in_root:
        root["cluster"] = {"apiServer": {"certSANs": names}}
    yield root
    if target.leads and not target.contract.api_server_in_root:
        yield document("KubeAPIServerConfig", certExtraSANs=names)


CERTIFICATE_SANS = Section({"certificate_sans": _SANS}, _compile)
