"""A seal for tests that are not about sealing: it hides nothing but keeps what is bound to what."""

from __future__ import annotations

from provisioner.errors import StateError


class PlainSeal:
    """Closes a text by writing what it is bound to before it; opens it nowhere else."""

    def close(self, plain: str, bound: str) -> str:
        return f"{bound}>{plain[::-1]}"

    def open(self, sealed: str, bound: str) -> str:
        if not sealed.startswith(f"{bound}>"):
            raise StateError("a sealed value does not open")
        return sealed.removeprefix(f"{bound}>")[::-1]
