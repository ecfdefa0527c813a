"""How a disk is chosen, as an expression of CEL.

Source: siderolabs/talos v1.14, `cel/celenv` (DiskLocator) and `InstallConfig.DiskMatchExpression`, whose terms these
are: patterns where `*` stands for anything, and never a disk that is read-only, a CD or not a real one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.sdk import Value
from provisioner.talos.settings.expression import expression
from provisioner.talos.settings.forms import COMPARED, DEVICE, SWITCH, TEXT, comparison, fixed, one_of
from provisioner.talos.settings.leaf import quoted, together
from provisioner.talos.settings.section import Complaint, Settings, plain, word
from provisioner.talos.settings.shape import Key, Table

PATTERNS: Mapping[str, str] = {
    "model": "its model",
    "serial": "its serial number",
    "wwid": "its world-wide name",
    "uuid": "its UUID",
    "modalias": "its modalias",
    "bus_path": "its place on the bus",
}
"""Keys that are patterns; the fields of the disk are called the same."""

TYPES: Mapping[str, str] = {
    "nvme": 'disk.transport == "nvme"',
    "sd": 'disk.transport == "mmc"',
    "hdd": "disk.rotational",
    "ssd": "!disk.rotational",
}
_ALWAYS = ('disk.transport != ""', "!disk.readonly", "!disk.cdrom")

KEYS: Mapping[str, Key] = {
    "device": Key(DEVICE, "its device, such as `/dev/nvme0n1`"),
    "size": Key(fixed(COMPARED), "its size, as in `>= 100GB`"),
    "type": Key(fixed(one_of(*TYPES)), "what it is"),
    **{key: Key(TEXT, f"{about}; `*` stands for anything") for key, about in PATTERNS.items()},
}
"""What a disk is chosen by, everywhere."""

CHOICE = Table(
    {
        **KEYS,
        "system": Key(SWITCH, "whether it is the disk that Talos is on"),
        "match": Key(expression("disk", "system_disk"), "over `disk` and `system_disk`, instead of everything else"),
    },
    short="device",
    whole=True,
)
"""A disk for a volume."""


def disk_match(choice: Settings) -> Value:
    """The expression; None where nothing is chosen."""
    if not choice:
        return None
    if "match" in choice:
        return choice["match"]
    terms = list(_terms(choice))
    if "device" not in choice:
        terms += _ALWAYS
    parts = [part for term in terms for part in (" && ", term)]
    return together(*parts[1:])


def _terms(choice: Settings) -> Iterator[Value]:
    if "device" in choice:
        yield together("disk.dev_path == ", quoted(choice["device"]))
    if "size" in choice:
        sign, size = comparison(word(choice, "size"))
        yield f"disk.size {sign} {size}u"
    for key in PATTERNS:
        if key in choice:
            yield together("glob(", quoted(choice[key]), f", disk.{key})")
    if "type" in choice:
        yield TYPES[word(choice, "type")]
    if "system" in choice:
        yield "system_disk" if plain(choice, "system") else "!system_disk"


def judge_choice(choice: Settings, *path: str) -> Iterator[Complaint]:
    """Two ways of choosing at once."""
    for key in ("match", "device"):
        others = [other for other in choice if other != key]
        if key in choice and others:
            detail = f"{key} says all there is to say, and {', '.join(others)} stands beside it"
            yield Complaint((*path, key), detail, "take out one or the other")
            return
