"""The `KubeFlannelCNIConfig` document, which is generated, and goes where another network plugin takes over.

Source: siderolabs/talos v1.14, `generate/kubernetes.go`; for the root document `CNIConfig` of v1.13.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import fixed, one_of, url
from provisioner.talos.settings.section import (
    Complaint,
    Document,
    Section,
    Settings,
    Target,
    document,
    items,
    plain,
    present,
    table,
)
from provisioner.talos.settings.shape import Key, Many, Table

_CNI = Key(
    Table(
        {
            "name": Key(fixed(one_of("flannel", "none", "custom")), "which one; `none` for one you install"),
            "urls": Key(Many(url("https", "http")), "its manifests, for `custom`"),
        },
        short="name",
        whole=True,
    ),
    "the network plugin; a name is short for `{name: …}`",
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    cni = table(settings, "cni")
    if not target.leads or not cni:
        return
    name = plain(cni, "name")
    if not target.contract.kubernetes_by_documents:
        yield {"cluster": {"network": {"cni": present(name=name, urls=items(cni, "urls") or None)}}}
        return
    if name != "flannel":
        yield document("KubeFlannelCNIConfig", **{"$patch": "delete"})
    for number, address in enumerate(items(cni, "urls"), start=1):
        called = "custom-cni" if number == 1 else f"custom-cni-{number}"
        yield document("KubeExternalManifestConfig", called, url=address)


def _judge(settings: Settings) -> Iterator[Complaint]:
    cni = table(settings, "cni")
    custom = plain(cni, "name") == "custom"
    if custom and not items(cni, "urls"):
        yield Complaint(("cni",), "a custom plugin needs its manifests", "add `urls:`")
    if "urls" in cni and not custom:
        yield Complaint(("cni", "urls"), "manifests are for a custom plugin", "add `name: custom`, or take them out")


KUBE_CNI = Section({"cni": _CNI}, _compile, _judge)
