"""What a pool asks of the facts of a host: `memory_gib: ">=64"`, `vendor: Acme`.

Facts are columns of the inventory, so that a claim is the same every time and anybody can see why; `prov metal look`
and `prov metal import` write them there. A host that says nothing of a fact does not fit a wish for it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import Any

_WISH = re.compile(r"\s*(>=|<=|!=|>|<|=)?\s*(.*?)\s*")
_ORDERS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def fits(wishes: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether all wishes hold. Numbers are compared as numbers, texts without regard to case."""
    return all(name in facts and _holds(wish, facts[name]) for name, wish in wishes.items())


def wrong(wishes: Mapping[str, Any]) -> str:
    """What is wrong with wishes; empty where nothing is."""
    for name, wish in wishes.items():
        sign, wanted = _read(wish)
        if not wanted:
            return f"facts: {name} asks for nothing"
        if sign in _ORDERS and _number(wanted) is None:
            return f"facts: {name}: {wanted!r} is no number to compare with"
    return ""


def _holds(wish: Any, fact: Any) -> bool:
    sign, wanted = _read(wish)
    if sign in _ORDERS:
        there, limit = _number(_text(fact)), _number(wanted)
        return there is not None and limit is not None and bool(_ORDERS[sign](there, limit))
    return (_same(wanted, _text(fact))) != (sign == "!=")


def _read(wish: Any) -> tuple[str, str]:
    found = _WISH.fullmatch(_text(wish))
    return (found.group(1) or "=", found.group(2)) if found else ("=", _text(wish))


def _same(one: str, other: str) -> bool:
    first, second = _number(one), _number(other)
    return first == second if first is not None and second is not None else one.casefold() == other.casefold()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
