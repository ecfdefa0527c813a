"""The pure functions that values may call, beside those that providers add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.model.value import Function, freeze


def concat(*parts: Any) -> str:
    """The text of all parts in a row; what `"https://${cluster.host}:6443"` becomes."""
    return "".join(_text(part) for part in parts)


def cel(source: str, names: Mapping[str, Any]) -> Any:
    """A CEL expression over the given names, such as `Var` and `resources`, with CEL's standard library.

    The engine behind it is loaded at the first use only: plain references never come here. Raises ValueError
    with a sentence when the expression cannot be done, or gives what is no value (a time, bytes).
    """
    import cel as engine  # heavy, and most files need none of it
    from cel.stdlib import add_stdlib_to_context

    context = engine.Context(variables=dict(names))
    add_stdlib_to_context(context)
    try:
        return freeze(engine.evaluate(source, context))
    except (LookupError, ArithmeticError, ValueError, TypeError, RuntimeError) as err:
        text = f"there is no {err.args[0]!r}" if isinstance(err, KeyError) and err.args else str(err)
        raise ValueError(f"{source!r}: {text.splitlines()[0] if text else type(err).__name__}") from err


def _text(part: Any) -> str:
    if isinstance(part, bool):
        return "true" if part else "false"
    return "" if part is None else str(part)


CORE: Mapping[str, Function] = {"concat": concat, "cel": cel}
