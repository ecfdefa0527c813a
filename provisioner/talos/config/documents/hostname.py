"""The node's name: the `HostnameConfig` document, and before Talos 1.12 a field of the root document.

Source: siderolabs/talos v1.13, `pkg/machinery/config/types/network`; v1.11, `NetworkConfig`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioner.sdk import Value, strip_origins
from provisioner.talos.config.document import typed

KIND = "HostnameConfig"


def hostname(name: str) -> dict[str, Value]:
    """Names the node `name`; a name is allowed only where the automatic one is off."""
    return typed(KIND, auto="off", hostname=name)


def hostname_in(documents: Iterable[Mapping[str, Value]]) -> str:
    """The hostname that a configuration sets, in either form; empty where it sets none."""
    for document in documents:
        kind = strip_origins(document.get("kind"))
        found = _at(document, "hostname") if kind == KIND else _at(document, "machine", "network", "hostname")
        if found:
            return found
    return ""


def _at(document: Value, *path: str) -> str:
    for key in path:
        document = document.get(key) if isinstance(document, Mapping) else None
    found = strip_origins(document)
    return found if isinstance(found, str) else ""
