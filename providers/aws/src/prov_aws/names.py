"""Names as AWS takes them, and zones as people say them."""

from __future__ import annotations

import hashlib
import re

_ARM = re.compile(r"(a1|[a-z]+\d+g[a-z]*)\..+")


def cut(text: str, longest: int) -> str:
    """`text`, cut with a digest where it is too long, so that names that differ still do."""
    if len(text) <= longest:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: longest - 9].rstrip('-')}-{digest}"


def tail(key: str) -> str:
    """The part of a key that goes into names which must be unique; 50 bits of chance."""
    return key[-10:].lower()


def remote_name(name: str, key: str, longest: int) -> str:
    """A name nobody else has: of letters, digits and dashes, with the tail of the key."""
    clean = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-") or "prov"
    return f"{cut(clean, longest - 11)}-{tail(key)}"


def arch_of(instance_type: str) -> str:
    """The architecture of an instance type by its name: Graviton families have a `g` behind their number."""
    return "arm64" if _ARM.fullmatch(instance_type) else "amd64"


def whole_zone(zone: str, region: str) -> str:
    """The name of a zone: `a` is `eu-west-1a` in eu-west-1; longer names are taken as they are."""
    return f"{region}{zone}" if len(zone) == 1 else zone


def short_zone(zone: str, region: str) -> str:
    """A zone as files say it: the letter, where it is one of the region's own."""
    return zone.removeprefix(region) if len(zone) == len(region) + 1 and zone.startswith(region) else zone
