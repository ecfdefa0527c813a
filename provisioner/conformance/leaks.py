"""Finding secrets in texts, in the spellings in which they get about."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from provisioner.model.value import Secret

_SHORTEST = 4
"""Shorter secrets are found everywhere by chance."""


def secrets_in(value: Any) -> Iterator[str]:
    """The texts of all secrets inside values and attrs instances."""
    match value:
        case Secret():
            text = str(value.reveal())
            if len(text) >= _SHORTEST:
                yield text
        case Mapping():
            for item in value.values():
                yield from secrets_in(item)
        case tuple() | list():
            for item in value:
                yield from secrets_in(item)
        case _ if attrs.has(type(value)):
            for name in attrs.fields_dict(type(value)):
                yield from secrets_in(getattr(value, name))


def spellings(secret: str) -> set[str]:
    """A secret as it is, and in base64, hexadecimal, quoted for addresses and for JSON."""
    data = secret.encode()
    return {
        secret,
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        data.hex(),
        urllib.parse.quote(secret, safe=""),
        json.dumps(secret)[1:-1],
    }


def leaks(secrets: Iterable[str], texts: Mapping[str, str]) -> list[str]:
    """The names of texts that have a secret in them, in any spelling."""
    wanted = {spelling for secret in secrets for spelling in spellings(secret)}
    return sorted(name for name, text in texts.items() if any(spelling in text for spelling in wanted))
