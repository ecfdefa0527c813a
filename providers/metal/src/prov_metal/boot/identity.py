"""Whether a machine that says who it is says what its BMC says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from prov_metal.bmc.uuids import turned

SAID = ("mac", "serial", "uuid")
"""What machines are asked for in the query of a URL."""
_NO_VALUE = re.compile(r"\$\{|^[0\-: ]*$|^(none|unknown|not specified|to be filled.*)$", re.IGNORECASE)


def stranger(said: Mapping[str, str], known: Mapping[str, tuple[str, ...]]) -> str:
    """Why this is another machine; empty where all that both sides know agrees.

    said   by `uuid`, `serial`, `mac`, as the machine filled it in; empty or without sense where it could not
    known  what of each is right; empty where the BMC does not know
    """
    for name, right in known.items():
        found = said.get(name, "")
        values = [value for value in right if not _NO_VALUE.search(value)]
        if _NO_VALUE.search(found) or not values:
            continue
        alike = _uuids if name == "uuid" else _plain
        if not any(alike(found) & alike(value) for value in values):
            return f"the machine says its {name} is {_short(found)}, which is not this host's"
    return ""


def _plain(text: str) -> set[str]:
    return {re.sub(r"[^0-9a-z]", "", text.lower())}


def _uuids(text: str) -> set[str]:
    """A UUID in both orders of its first three parts: SMBIOS and Redfish do not agree on that."""
    return (_plain(text) | _plain(turned(text))) - {""}


def _short(text: str) -> str:
    return "".join(sign for sign in text[:40] if sign.isprintable())
