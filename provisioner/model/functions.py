"""The pure functions that values may call, beside those that providers add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.model.value import Function


def concat(*parts: Any) -> str:
    """The text of all parts in a row; what `"https://${cluster.host}:6443"` becomes."""
    return "".join(_text(part) for part in parts)


def cel(source: str, names: Mapping[str, Any]) -> Any:
    """A CEL expression over the given names, such as `var` and `outputs`.

    The engine behind it is loaded at the first use only: plain references never come here.
    """
    import cel as engine  # heavy, and most files need none of it

    try:
        return engine.evaluate(source, dict(names))
    except (KeyError, ValueError, TypeError, RuntimeError) as err:
        raise ValueError(f"{source!r}: {str(err).splitlines()[0]}") from err


def _text(part: Any) -> str:
    if isinstance(part, bool):
        return "true" if part else "false"
    return "" if part is None else str(part)


CORE: Mapping[str, Function] = {"concat": concat, "cel": cel}
