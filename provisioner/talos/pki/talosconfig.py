"""The talosconfig file: how `talosctl` reaches a cluster.

Source: siderolabs/talos v1.13, `pkg/machinery/client/config`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from provisioner.talos.config.encode import encode
from provisioner.talos.pki.bundle import Bundle
from provisioner.talos.pki.roles import ADMIN


def talosconfig(
    bundle: Bundle,
    *,
    cluster: str,
    endpoints: Sequence[str],
    nodes: Sequence[str],
    now: datetime,
    ttl: timedelta = timedelta(days=365),
    roles: Iterable[str] = (ADMIN,),
) -> str:
    """A talosconfig as YAML text, with a fresh certificate in it that has the roles.

    `endpoints` are the hosts of control planes, or what balances them; `nodes` the default targets, and may
    be empty. The text is secret, and differs from call to call. Raises ValueError when the bundle's `os`
    pair cannot be read.
    """
    from provisioner.talos.pki.certificate import talos_client  # heavy: the crypto library

    client = talos_client(bundle.os, roles, now=now, ttl=ttl)
    context: dict[str, Any] = {"endpoints": list(endpoints)}
    if nodes:
        context["nodes"] = list(nodes)
    context |= {"ca": _b64(bundle.os.crt), "crt": _b64(client.crt), "key": _b64(client.key)}
    return encode([{"context": cluster, "contexts": {cluster: context}}])


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
