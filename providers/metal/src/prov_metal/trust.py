"""How sure one has to be of a host before its configuration goes out, which has all secrets of the cluster in it.

    trust     by way of    the configuration goes
    media     media        on the host's disc, through its BMC
              http         from a URL that its BMC was given, over TLS
    console   any          over the maintenance API, to the key whose fingerprint stands on its serial console
    network   media        over the maintenance API, to who has the facts that its BMC tells
              http, network  from a URL, to who asks for it as this host

What stands in no line is refused while planning. Nothing goes on by itself to a lower rung. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

from provisioner.sdk import Fatal, did_you_mean

Carried = Literal["disc", "url", "api"]
"""How a configuration gets there: with what is booted, from an address, or when the machine waits for it."""

TRUSTS = ("media", "console", "network")

_CARRIED: Mapping[tuple[str, str], Carried] = {
    ("media", "media"): "disc",
    ("media", "http"): "url",
    ("console", "media"): "api",
    ("console", "http"): "api",
    ("console", "network"): "api",
    ("network", "media"): "api",
    ("network", "http"): "url",
    ("network", "network"): "url",
}
_BOOTS = {
    "media": "virtual media",
    "http": "a URL that its firmware fetches",
    "network": "the network",
}
_GOES = {
    ("media", "disc"): "on a disc through its BMC",
    ("media", "url"): "from a URL given through its BMC",
    ("console", "api"): "to the key that its console shows",
    ("network", "api"): "to whoever tells the facts that its BMC tells",
    ("network", "url"): "to whoever asks for it as this host",
}


def carried(trust: str, way: str) -> Carried:
    """How the configuration gets to a host on this rung that is booted this way.

    Raises Fatal where it must not. Plans are refused before; what an older version has on record is not.
    """
    goes = _CARRIED.get((trust, way))
    if goes is None:
        raise Fatal(
            "a host must not get its configuration this way",
            detail=f"its trust is {trust}, and it is booted by {way}",
            remedy="set `trust` in its row of the inventory, and apply again",
        )
    return goes


def objections(
    trust: str, ways: Sequence[str], bmc: str, console: str, *, tls: bool
) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a host's trust, as (field, sentence, remedy).

    trust, ways  as they hold for the host, whether its row says so or the provider block
    tls          whether what hosts fetch is served over TLS
    """
    if trust not in TRUSTS:
        yield "trust", f"is {trust!r}, and there is no such rung", did_you_mean(trust, TRUSTS)
        return
    if console and not is_console(console):
        yield "console", f"is {console!r}, and not tcp://HOST:PORT", "write where the serial console can be heard"
    if trust == "console" and not console and not bmc.startswith("ipmi"):
        yield (
            "trust",
            "is `console`, and there is none on which the host's key could be read",
            "add `console: tcp://HOST:PORT` to the row; a BMC reached by ipmi:// has one of its own",
        )
    if trust == "media" and "network" in ways:
        yield (
            "trust",
            "is `media`, and a host that boots from the network gets its configuration from there",
            "set `trust: console` and a console, or `trust: network` to hand it to whoever says that it is this host",
        )
    if trust == "media" and "http" in ways and not tls:
        yield (
            "trust",
            "is `media`, and what the host fetches by itself travels in the clear",
            "serve over TLS, or set `trust: console` or `trust: network`",
        )


def is_console(text: str) -> bool:
    """Whether this says where a serial console can be heard: `tcp://HOST:PORT`."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme == "tcp" and bool(parts.hostname) and bool(port) and not parts.path and "@" not in parts.netloc
    )


def told(trust: str, ways: Sequence[str], *, checked: bool) -> str:
    """What a plan says of a host on this rung; `checked` is whether its BMC has to prove who it is."""
    known = [way for way in ways if (trust, way) in _CARRIED]
    boots = ", else from ".join(_BOOTS[way] for way in known)
    goes = dict.fromkeys(_GOES[trust, carried(trust, way)] for way in known)
    parts = [f"boots from {boots}", f"configuration {' or '.join(goes)}"] if known else []
    rung = f"trust: {trust}"
    if trust == "network":
        rung += ", which is no proof"
    elif trust == "media" and not checked:
        rung += ", with a BMC that proves nothing"
    return "; ".join([*parts, rung])
