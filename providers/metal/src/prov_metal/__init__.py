"""Racked servers as nodes: booted, installed and released through their BMCs.

Importing this package does nothing; `provider` is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prov_metal.metal import provider

__all__ = ["provider"]


def __getattr__(name: str) -> Any:
    if name == "provider":
        from prov_metal.metal import provider

        return provider
    raise AttributeError(name)
