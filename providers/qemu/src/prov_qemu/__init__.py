"""Virtual machines on this computer, with qemu.

Importing this package does nothing; `provider` is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prov_qemu.qemu import provider

__all__ = ["provider"]


def __getattr__(name: str) -> Any:
    if name == "provider":
        from prov_qemu.qemu import provider

        return provider
    raise AttributeError(name)
