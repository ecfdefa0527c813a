"""The kubeconfig file, made offline from the secrets bundle.

The names in it are those of the file a Talos node hands out: cluster after the cluster, user with context
`admin@cluster`, namespace `default`. Source: siderolabs/talos v1.13, `pkg/kubeconfig`.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from provisioner.talos.config.encode import encode
from provisioner.talos.pki.bundle import Bundle


def kubeconfig(
    bundle: Bundle, *, cluster: str, server: str, now: datetime, ttl: timedelta = timedelta(days=365)
) -> str:
    """A kubeconfig as YAML text, with a fresh administrator certificate in it.

    `server` is the URL of the Kubernetes API, such as `https://10.0.0.1:6443`. The text is secret, and
    differs from call to call. Raises ValueError when the bundle's `k8s` pair cannot be read.
    """
    from provisioner.talos.pki.certificate import kubernetes_admin  # heavy: the crypto library

    client = kubernetes_admin(bundle.k8s, now=now, ttl=ttl)
    admin = f"admin@{cluster}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {"server": server, "certificate-authority-data": _b64(bundle.k8s.crt)},
            }
        ],
        "users": [
            {
                "name": admin,
                "user": {
                    "client-certificate-data": _b64(client.crt),
                    "client-key-data": _b64(client.key),
                },
            }
        ],
        "contexts": [{"name": admin, "context": {"cluster": cluster, "namespace": "default", "user": admin}}],
        "current-context": admin,
    }
    return encode([document])


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
