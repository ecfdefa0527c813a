"""The forms of single values: addresses, sizes, durations, names.

Each one takes what Talos's own decoder and validator of every supported release take, or less.
Sources: siderolabs/talos, `pkg/machinery/config/types` and `pkg/machinery/nethelpers`; dustin/go-humanize,
`bytes.go`; Go, `time.ParseDuration`, `netip.ParseAddr` and `netip.ParsePrefix`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlsplit

from provisioner.talos.settings.shape import Form, Leaf, Plain

_DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+")
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_MAC_PATTERN = re.compile(r"(?=.*\*)[0-9a-fA-F:*]+")
_LINK = re.compile(r"[^\s/:]{1,15}")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*\.?")
_SIZE = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?) ?(?P<unit>[A-Za-z]*)")
_COMPARED = re.compile(r"(?P<sign>>=|<=|>|<|==)? *(?P<size>.*)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VOLUME = re.compile(r"[A-Za-z0-9-]{1,34}")
_REGISTRY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?|\[[0-9a-fA-F:]+\](:[0-9]{1,5})?")
_WORD = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = re.compile(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_WORD}")
_LABEL_VALUE = re.compile(rf"({_WORD})?")
_TAINT = re.compile(rf"(({_WORD})?:)?(NoSchedule|PreferNoSchedule|NoExecute)")
_METRIC = ("", "k", "m", "g", "t", "p", "e")
_UNITS = {
    **{f"{letter}{ending}": 1000**power for power, letter in enumerate(_METRIC) for ending in ("", "b")},
    **{f"{letter}i{ending}": 1024**power for power, letter in enumerate(_METRIC) if letter for ending in ("", "b")},
}


def bytes_of(text: str) -> int:
    """`10GiB` as a number of bytes; raises ValueError for what is no size."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or match["unit"].lower() not in _UNITS:
        raise ValueError(f"{text!r} is no size")
    return int(Decimal(match["number"]) * _UNITS[match["unit"].lower()])


def comparison(text: str) -> tuple[str, int]:
    """`>= 100GB` as its sign and a number of bytes; raises ValueError."""
    match = _COMPARED.fullmatch(text.strip())
    assert match is not None  # the pattern takes everything
    return match["sign"] or "==", bytes_of(match["size"])


def is_address(text: str) -> bool:
    """Whether it is an IP address without a zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_network(text: str) -> bool:
    """Whether it is an address with its prefix length."""
    address, slash, bits = text.partition("/")
    if not slash or not is_address(address) or not re.fullmatch(r"0|[1-9][0-9]{0,2}", bits):
        return False
    return int(bits) <= (128 if ":" in address else 32)


def _text(said: str, fits: Callable[[str], bool], remedy: str, becomes: Callable[[str], str] = str) -> Leaf:
    return Leaf(
        Form((str,), said, lambda value: fits(str(value)), lambda _: remedy, lambda value: becomes(str(value)))
    )


def _is(reading: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether a reader takes a text without a ValueError."""

    def fits(text: str) -> bool:
        try:
            reading(text)
        except ValueError:
            return False
        return True

    return fits


def whole(low: int, high: int) -> Leaf:
    """A whole number, both ends included."""
    return Leaf(
        Form(
            (int,),
            f"a whole number from {low} to {high}",
            lambda value: low <= int(value) <= high,
            lambda _: f"write a number from {low} to {high}",
        )
    )


def one_of(*words: str) -> Leaf:
    """One of some words."""
    said = ", ".join(f"`{word}`" for word in words)
    return Leaf(
        Form((str,), f"one of {said}", lambda value: value in words, lambda value: f"write one of {', '.join(words)}")
    )


def url(*schemes: str) -> Leaf:
    """A URL with one of the schemes and a host."""

    def fits(text: str) -> bool:
        try:
            parts = urlsplit(text)
            return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False

    return _text("a URL", fits, f"write a URL such as {schemes[0]}://host.example.org")


def _as_text(value: Plain) -> Plain:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_ports(text: str) -> bool:
    low, dash, high = text.partition("-")
    ends = (low, high) if dash else (low, low)
    return all(re.fullmatch(r"[0-9]{1,5}", end) for end in ends) and 1 <= int(ends[0]) <= int(ends[1]) <= 65535


def _is_bound(text: str) -> bool:
    """Whether it is a size, a size to leave free, or a part of the disk."""
    if text.endswith("%"):
        number = re.fullmatch(r"-?([0-9]+(?:\.[0-9]+)?) ?%", text)
        return number is not None and Decimal(number[1]) <= 100
    return _is(bytes_of)(text.removeprefix("-"))


def fixed(leaf: Leaf) -> Leaf:
    """The same, but it must be written out."""
    return Leaf(leaf.form, fixed=True)


TEXT = Leaf(Form((str,), "a text", lambda value: value != "", lambda _: "write a text that is not empty"))
FLAG = Leaf(Form((bool,), "true or false"))
SWITCH = fixed(FLAG)
"""One that decides which documents there are."""
LOOSE = Leaf(Form((str, int, float, bool), "a text or a number", becomes=_as_text))
"""A text that people write as a number, too."""
ADDRESS = _text("an IP address", is_address, "write an IP address such as 10.0.0.2 or fd00::2")
NETWORK = _text("an address with prefix length", is_network, "write it with its prefix length, as in 10.0.0.2/24")
ENDPOINT_FILTER = _text(
    "a network or an address, `!` before it to leave it out",
    lambda text: is_address(text.removeprefix("!")) or is_network(text.removeprefix("!")),
    "write it as in 10.0.0.0/8 or !10.0.0.0/8",
)
DESTINATION = _text(
    "a network, or `default`",
    lambda text: text == "default" or is_network(text),
    "write default, or as in 10.0.0.0/8",
)
MAC = _text("a hardware address", lambda t: bool(_MAC.fullmatch(t)), "write it as in 00:1a:2b:3c:4d:5e", str.lower)
MAC_PATTERN = _text(
    "a hardware address, in which `*` stands for anything",
    lambda text: bool(_MAC.fullmatch(text) or _MAC_PATTERN.fullmatch(text)),
    "write it as in 00:1a:2b:3c:4d:5e or 00:1a:2b:*",
    str.lower,
)
HOST = _text("a host name", lambda t: bool(_HOST.fullmatch(t)), "write a host name such as registry.example.org")
SERVER = _text(
    "a host name or an IP address",
    lambda text: is_address(text) or bool(_HOST.fullmatch(text)),
    "write a host name or an IP address",
)
DURATION = _text("a duration", lambda t: bool(_DURATION.fullmatch(t)), "write a duration such as 90s, 10m or 1h30m")
SIZE = _text("a size", _is(bytes_of), "write a size such as 500MB or 10GiB")
BOUND = _text(
    "a size, a size to leave free such as `-10GiB`, or a part such as `80%`",
    _is_bound,
    "write a size such as 10GiB, -10GiB or 80%",
)
COMPARED = _text("a size, with a sign before it", _is(comparison), "write it as in >= 100GB")
PORTS = Leaf(
    Form(
        (int, str),
        "a port, or a range such as `8000-8100`",
        lambda value: _is_ports(str(value)),
        lambda _: "write a port from 1 to 65535, or a range as in 8000-8100",
    )
)
DEVICE = _text("a device", lambda t: bool(re.fullmatch(r"/dev/\S+", t)), "write a device such as /dev/nvme0n1")
CEL = _text("a CEL expression", lambda t: bool(t.strip()), "write an expression that is true or false")
PATH = _text("an absolute path", lambda t: bool(re.fullmatch(r"/\S+", t)), "begin it with a slash")
RULE_NAME = _text(
    "a name", lambda t: bool(re.fullmatch(r"[A-Za-z0-9._-]+", t)), "it has letters, digits, ., - and _ only"
)
REGISTRY = _text(
    "the host of a registry, or `*`",
    lambda text: text == "*" or bool(_REGISTRY.fullmatch(text)),
    "write its host, and its port if it has one, as in ghcr.io",
)
PEM = Leaf(
    Form(
        (str,),
        "PEM text",
        lambda value: str(value).lstrip().startswith("-----BEGIN "),
        lambda _: "write it whole, from BEGIN to END, below a |",
        shown=False,
    )
)
LABEL_KEY = _text(
    "the name of a label",
    lambda text: bool(_LABEL_KEY.fullmatch(text)),
    "write it as in app.example.org/tier, with 63 characters at most after the slash",
)
LABEL_VALUE = Leaf(
    Form(
        (str, int, float, bool),
        "the value of a label",
        lambda value: bool(_LABEL_VALUE.fullmatch(str(_as_text(value)))),
        lambda _: "it has letters, digits, ., - and _, and 63 characters at most",
        _as_text,
    )
)
TAINT = _text(
    "an effect, or `value:effect`",
    lambda text: bool(_TAINT.fullmatch(text)),
    "write NoSchedule, PreferNoSchedule or NoExecute, after a value and a colon if there is one",
)

LINK_NAME = fixed(
    _text("the name of a link", lambda t: bool(_LINK.fullmatch(t)), "it has 15 characters at most, no space, / or :")
)
VARIABLE_NAME = _text(
    "the name of a variable", lambda t: bool(_VARIABLE.fullmatch(t)), "it has letters, digits and _ only"
)
VOLUME_NAME = _text(
    "the name of a volume",
    lambda t: bool(_VOLUME.fullmatch(t)),
    "it has letters, digits and - only, and 34 characters at most",
)
