"""What a provider block of type `sim` may say."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from provisioner.sdk import Delivery, ProvError, Schema, Value, written

DELIVERIES: tuple[Delivery, ...] = ("user_data", "api")


@frozen
class SimSettings:
    """The provider block.

    daemon      which daemon holds the machines; one is started under this name when needed
    time_scale  1 is the pace of a small virtual machine, 0.1 a tenth of it, 0 no delays at all
    delivery    how machines get their configuration, unless their pool says otherwise
    seed        makes delays repeatable
    """

    daemon: str = "default"
    time_scale: float = 0.1
    delivery: str = "user_data"
    seed: int = 0


@frozen
class SimNodeOptions:
    """What a pool may say to this provider beyond the common fields.

    delivery     as in the provider block, which decides where this is empty
    extra_disks  disks besides the one Talos is on, such as `/dev/vdb`
    wipe         disks that are erased when a node leaves for good
    """

    delivery: str = ""
    extra_disks: tuple[str, ...] = ()
    wipe: tuple[str, ...] = ()


@frozen
class Size:
    """What a size name of a pool stands for."""

    cpus: int
    memory_mib: int


SIZES: Mapping[str, Size] = {
    "small": Size(cpus=2, memory_mib=2048),
    "medium": Size(cpus=4, memory_mib=8192),
    "large": Size(cpus=8, memory_mib=16384),
}
DEFAULT_SIZE = "small"


def settings_of(block: Mapping[str, Value]) -> SimSettings:
    """The settings of a provider block, of which only our own fields are looked at; raises ProvError."""
    known = Schema.of(SimSettings).fields
    settings = written(SimSettings, {name: value for name, value in block.items() if name in known}, _wrong)
    checked_delivery(settings.delivery)
    if settings.time_scale < 0:
        raise _wrong(f"time_scale is {settings.time_scale}", "give a time_scale of 0 or more; 0 means no delays")
    return settings


def _wrong(detail: str, remedy: str = "correct the provider block; the sim README lists its settings") -> ProvError:
    return ProvError("a setting of the sim provider is wrong", detail=detail, remedy=remedy)


def checked_delivery(text: str) -> Delivery:
    """`text` as a delivery; raises ProvError naming those there are."""
    if text not in DELIVERIES:
        raise ProvError(
            "the sim provider does not know this delivery",
            detail=f"delivery is {text!r}",
            remedy=f"use one of: {', '.join(DELIVERIES)}",
        )
    return text


def size_of(name: str) -> Size:
    """The size of that name, the smallest for an empty one; raises ProvError naming those there are."""
    size = SIZES.get(name or DEFAULT_SIZE)
    if size is None:
        raise ProvError(
            "the sim provider does not know this size",
            detail=f"size is {name!r}",
            remedy=f"use one of: {', '.join(SIZES)}",
        )
    return size
