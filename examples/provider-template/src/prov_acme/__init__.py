"""Machines of Acme for prov.

Importing this package does nothing; `provider` is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prov_acme.acme import AcmeProvider

    provider: AcmeProvider

__all__ = ["provider"]


def __getattr__(name: str) -> Any:
    if name == "provider":
        from prov_acme.acme import AcmeProvider

        return AcmeProvider()
    raise AttributeError(name)
