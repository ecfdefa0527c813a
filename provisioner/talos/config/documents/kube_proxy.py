"""The `KubeProxyConfig` document: what leads connections to services.

Source: siderolabs/talos v1.14, `types/k8s/proxy.go`; for the root document `ProxyConfig` of v1.13.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import SWITCH, one_of
from provisioner.talos.settings.section import (
    Document,
    Section,
    Settings,
    Target,
    document,
    plain,
    present,
    renamed,
    table,
)
from provisioner.talos.settings.shape import Key, Table

_PROXY = Key(
    Table(
        {
            "enabled": Key(SWITCH, "false where the network plugin does it"),
            "mode": Key(one_of("iptables", "ipvs", "nftables"), "how it does it"),
        },
        short="enabled",
    ),
    "kube-proxy; `false` is short for `{enabled: false}`",
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    proxy = table(settings, "proxy")
    if not target.leads or not proxy:
        return
    mode = renamed(proxy, {"mode": "mode"})
    if target.contract.kubernetes_by_documents:
        yield document("KubeProxyConfig", **renamed(proxy, {"enabled": "enabled"}), **mode)
        return
    disabled = None if plain(proxy, "enabled") is None else plain(proxy, "enabled") is False
    yield {"cluster": {"proxy": present(disabled=disabled) | mode}}


KUBE_PROXY = Section({"proxy": _PROXY}, _compile)
