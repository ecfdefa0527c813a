"""The forms of single values: addresses, sizes, durations, names.

Each one takes what Talos's own decoder and validator of every supported release take, or less.
Sources: siderolabs/talos, `pkg/machinery/config/types` and `pkg/machinery/nethelpers`; dustin/go-humanize,
`bytes.go`; Go, `time.ParseDuration`, `netip.ParseAddr` and `netip.ParsePrefix`.
"""

from __future__ import annotations

import base64
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
_IN_URL = re.compile(r"[!-~]+")
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\n([^-]+)\n-----END \1-----")
_REGISTRY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?|\[[0-9a-fA-F:]+\](:[0-9]{1,5})?")
_WORD = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = re.compile(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_WORD}")
_LABEL_VALUE = re.compile(rf"({_WORD})?")
_TAINT = re.compile(rf"(({_WORD})?:)?(NoSchedule|PreferNoSchedule|NoExecute)")
ANYWHERE = ("default", "0.0.0.0/0", "::/0")
"""The destinations of a default route, which a configuration writes by leaving the destination out."""
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
    """Whether it is an IP address without a zone; that of nobody is one."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_nobody(address: str) -> bool:
    return ipaddress.ip_address(address).is_unspecified


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


def url(*schemes: str, bare: bool = False) -> Leaf:
    """A URL with one of the schemes and a host; a bare one has no path."""

    def fits(text: str) -> bool:
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            return False
        host = parts.hostname or ""
        known = parts.scheme in schemes and port != 0 and (is_address(host) or bool(_HOST.fullmatch(host)))
        return known and bool(_IN_URL.fullmatch(text)) and (not bare or parts.path in ("", "/"))

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


def _pem(said: str, labels: tuple[str, ...]) -> Leaf:
    """Blocks of PEM, all with one of the labels; what is in them is not shown, and not looked at."""

    def fits(value: Plain) -> bool:
        blocks = _PEM.findall(str(value))
        rest = _PEM.sub("", str(value)).strip()
        return bool(blocks) and not rest and all(label in labels and _is(_decoded)(body) for label, body in blocks)

    return Leaf(Form((str,), said, fits, lambda _: "write all of it, from BEGIN to END, below a |", shown=False))


def _decoded(text: str) -> bytes:
    """Raises ValueError for what is not base64 of something."""
    body = base64.b64decode("".join(text.split()), validate=True)
    if not body.startswith(b"0"):  # the first byte of a sequence in DER
        raise ValueError("it is no DER")
    return body


def fixed(leaf: Leaf) -> Leaf:
    """The same, but it must be written out."""
    return Leaf(leaf.form, fixed=True)


TEXT = Leaf(Form((str,), "a text", lambda value: value != "", lambda _: "write a text that is not empty"))
FLAG = Leaf(Form((bool,), "true or false"))
SWITCH = fixed(FLAG)
"""One that decides which documents there are."""
LOOSE = Leaf(Form((str, int, float, bool), "a text or a number", becomes=_as_text))
"""A text that people write as a number, too."""
ADDRESS = _text(
    "an IP address",
    lambda text: is_address(text) and not _is_nobody(text),
    "write an IP address such as 10.0.0.2 or fd00::2",
)
OWN_ADDRESS = _text(
    "an address with prefix length",
    lambda text: is_network(text) and not _is_nobody(text.partition("/")[0]),
    "write it with its prefix length, as in 10.0.0.2/24",
)
NETWORK = _text("a network", is_network, "write it with its prefix length, as in 10.0.0.0/8")
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
PATH = _text("an absolute path", lambda t: bool(re.fullmatch(r"/\S+", t)), "begin it with a slash")
RULE_NAME = _text(
    "a name", lambda t: bool(re.fullmatch(r"[A-Za-z0-9._-]+", t)), "it has letters, digits, ., - and _ only"
)
REGISTRY = _text(
    "the host of a registry, or `*`",
    lambda text: text == "*" or bool(_REGISTRY.fullmatch(text)),
    "write its host, and its port if it has one, as in ghcr.io",
)
CERTIFICATE = _pem("a certificate as PEM", ("CERTIFICATE",))
PRIVATE_KEY = _pem(
    "a private key as PEM", ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ED25519 PRIVATE KEY")
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
