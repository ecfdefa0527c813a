"""The `HostnameConfig` document.

Source: siderolabs/talos v1.13, `pkg/machinery/config/types/network`.
"""

from __future__ import annotations

from provisioner.sdk import Value

KIND = "HostnameConfig"


def hostname(name: str) -> dict[str, Value]:
    """Names the node `name`; a name is allowed only where the automatic one is off."""
    return {"apiVersion": "v1alpha1", "kind": KIND, "auto": "off", "hostname": name}
