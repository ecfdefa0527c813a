"""Where a volume is put, how large it gets, and how it is looked after.

Source: siderolabs/talos v1.14, `types/block/volume_config.go`, `trim.go` and `scrub.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.config.documents.disk_choice import CHOICE, disk_match, judge_choice
from provisioner.talos.settings.forms import BOUND, DURATION, FLAG, SIZE, bytes_of, one_of
from provisioner.talos.settings.section import Complaint, Settings, present, renamed, table, word
from provisioner.talos.settings.shape import Key, Table
from provisioner.talos.versions import Contract


def _upkeep(contract: Contract) -> bool:
    return contract.volume_upkeep


def _mounts(contract: Contract) -> bool:
    return contract.volume_mounts


PROVISIONING = {
    "disk": Key(CHOICE, "the disk it is put on; a device is short for `{device: …}`"),
    "min_size": Key(SIZE, "it is not made smaller than that"),
    "max_size": Key(BOUND, "it is not made larger than that"),
    "grow": Key(FLAG, "whether it takes the room that is there"),
}
UPKEEP = {
    name: Key(
        Table(
            {
                "enabled": Key(FLAG, "whether it is done"),
                "interval": Key(DURATION, "how often"),
            },
            short="enabled",
        ),
        about,
        needs=_upkeep,
    )
    for name, about in {
        "trim": "telling the disk of freed space",
        "scrub": "reading everything to find errors",
    }.items()
}
SECURE = Key(FLAG, "whether nothing on it can be run with other rights, or be a device", needs=_mounts)
ACCESS_TIME = Key(FLAG, "whether reading is left unrecorded", needs=_mounts)
LARGE_GROUPS = Key(SIZE, "the smallest allocation group of xfs", needs=_upkeep)
FILESYSTEM = one_of("xfs", "ext4", "btrfs")


def provisioning(volume: Settings) -> dict[str, Value]:
    """The `provisioning` of a volume's document."""
    chosen = present(diskSelector=present(match=disk_match(table(volume, "disk"))))
    return chosen | renamed(volume, {"grow": "grow", "min_size": "minSize", "max_size": "maxSize"})


def upkeep(volume: Settings) -> dict[str, Value]:
    """The `trim` and `scrub` of a volume's document."""
    return {key: dict(table(volume, key)) for key in UPKEEP if table(volume, key)}


def mount(volume: Settings) -> dict[str, Value]:
    """The `mount` of a volume's document."""
    names = {"read_only": "readOnly", "disable_access_time": "disableAccessTime", "secure": "secure"}
    return renamed(volume, names)


def judge_provisioning(volume: Settings, *path: str, needed: bool = False) -> Iterator[Complaint]:
    """A volume that has no place, or no size that could be."""
    yield from judge_choice(table(volume, "disk"), *path, "disk")
    if needed and not table(volume, "disk"):
        yield Complaint(path, "it says nothing about the disk it is put on", "add `disk:`")
    if needed and "min_size" not in volume and "max_size" not in volume:
        yield Complaint(path, "it says nothing about its size", "add `min_size:` or `max_size:`")
    low, high = word(volume, "min_size"), word(volume, "max_size")
    if low and high and not high.startswith("-") and not high.endswith("%") and bytes_of(low) > bytes_of(high):
        yield Complaint((*path, "max_size"), f"max_size is {high}, and min_size is {low}", "exchange them")


def limit_provisioning(volume: Settings, contract: Contract, *path: str) -> Iterator[Complaint]:
    """Sizes that the contract cannot express."""
    size = word(volume, "max_size")
    if size.endswith("%") and not contract.relative_sizes:
        yield Complaint((*path, "max_size"), f"Talos {contract} takes no part of a disk as a size", "write it in GiB")
    if size.startswith("-") and not contract.sizes_left_free:
        yield Complaint(
            (*path, "max_size"), f"Talos {contract} takes no size to leave free", "write how large it may get"
        )
