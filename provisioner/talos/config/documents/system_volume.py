"""The `VolumeConfig` document: the volumes of Talos itself.

Source: siderolabs/talos v1.14, `types/block/volume_config.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.config.documents.encryption import ENCRYPTION, encryption, judge_encryption
from provisioner.talos.config.documents.provisioning import (
    ACCESS_TIME,
    LARGE_GROUPS,
    PROVISIONING,
    SECURE,
    UPKEEP,
    judge_provisioning,
    mount,
    provisioning,
    upkeep,
)
from provisioner.talos.settings.forms import fixed, one_of
from provisioner.talos.settings.section import (
    Complaint,
    Document,
    Settings,
    document,
    plain,
    present,
    renamed,
    rows,
    table,
)
from provisioner.talos.settings.shape import Key, Named, Table
from provisioner.talos.versions import Contract

_PLACES = ("disk", "min_size", "max_size", "grow")
_MOUNTS = ("secure", "disable_access_time")
_EARLY = ("STATE", "EPHEMERAL", "IMAGECACHE")
_NAMES = (*_EARLY, "ETCD", "CRI", "KUBELET", "LOG")

SYSTEM = Key(
    Named(
        fixed(one_of(*_NAMES)),
        Table(
            {
                **PROVISIONING,
                "xfs_min_group_size": LARGE_GROUPS,
                "encryption": ENCRYPTION,
                "secure": SECURE,
                "disable_access_time": Key(
                    ACCESS_TIME.shape, ACCESS_TIME.about, needs=lambda contract: contract.volume_upkeep
                ),
                **UPKEEP,
            }
        ),
    ),
    "those of Talos itself; `ETCD`, `CRI`, `KUBELET` and `LOG` from 1.14",
)


def system_volume(name: str, settings: Settings) -> Iterator[Document]:
    """The document of one volume."""
    yield document(
        "VolumeConfig",
        name,
        provisioning=provisioning(settings),
        filesystem=present(xfs=renamed(settings, {"xfs_min_group_size": "minAllocationGroupSize"})),
        encryption=encryption(settings),
        mount=mount(settings),
        **upkeep(settings),
    )


def judge_system_volume(name: str, settings: Settings, *path: str) -> Iterator[Complaint]:
    """What a volume of Talos does not let be chosen."""
    yield from judge_provisioning(settings, *path)
    yield from judge_encryption(settings, *path)
    fixed_parts = {"STATE": (*_PLACES, *_MOUNTS), "IMAGECACHE": (*_MOUNTS, "xfs_min_group_size")}.get(name, ())
    for key in fixed_parts:
        if key in settings:
            yield Complaint((*path, key), f"Talos decides that for {name} itself", "take it out")
    for number, one in enumerate(rows(table(settings, "encryption"), "keys")):
        if name == "STATE" and plain(one, "lock_to_state"):
            detail = "the STATE volume cannot be bound to itself"
            yield Complaint((*path, "encryption", "keys", number), detail, "take out `lock_to_state`")
    if name not in _EARLY and any(key in settings for key in _MOUNTS) and not any(key in settings for key in _PLACES):
        yield Complaint(
            path, f"{name} is a part of EPHEMERAL unless it is put on a disk", "add `disk:` and `min_size:`"
        )


def limit_system_volume(name: str, contract: Contract, *path: str) -> Iterator[Complaint]:
    """Volumes that the contract does not have."""
    if name not in _EARLY and not contract.all_system_volumes:
        detail = f"Talos {contract} has {', '.join(_EARLY)} only"
        yield Complaint(path, detail, "configure EPHEMERAL, which it is a part of")
