"""The `UserVolumeConfig` document: a volume for workloads, mounted at `/var/mnt/NAME`.

Source: siderolabs/talos v1.14, `types/block/user_volume_config.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.config.documents.encryption import ENCRYPTION, encryption, judge_encryption
from provisioner.talos.config.documents.provisioning import (
    ACCESS_TIME,
    FILESYSTEM,
    LARGE_GROUPS,
    PROVISIONING,
    SECURE,
    UPKEEP,
    judge_provisioning,
    mount,
    provisioning,
    upkeep,
)
from provisioner.talos.settings.forms import FLAG, VOLUME_NAME, fixed, one_of
from provisioner.talos.settings.section import Complaint, Document, Settings, document, plain, present, renamed
from provisioner.talos.settings.shape import Key, Named, Table

USER = Key(
    Named(
        VOLUME_NAME,
        Table(
            {
                "type": Key(
                    fixed(one_of("partition", "disk", "directory")),
                    "a part of a disk unless it says otherwise, a whole disk, or a folder of EPHEMERAL",
                    needs=lambda contract: contract.user_volume_types,
                ),
                **PROVISIONING,
                "filesystem": Key(FILESYSTEM, "`xfs` unless it says otherwise"),
                "project_quota": Key(FLAG, "whether xfs counts by project"),
                "xfs_min_group_size": LARGE_GROUPS,
                "encryption": ENCRYPTION,
                "secure": SECURE,
                "disable_access_time": ACCESS_TIME,
                **UPKEEP,
            }
        ),
    ),
    "for workloads, mounted at `/var/mnt/NAME`",
)
_PLACES = ("min_size", "max_size", "grow")
_ONLY_OF_DISKS = (
    "disk",
    *_PLACES,
    "filesystem",
    "project_quota",
    "xfs_min_group_size",
    "encryption",
    "disable_access_time",
)


def user_volume(name: str, settings: Settings) -> Iterator[Document]:
    """The document of one volume."""
    filesystem = renamed(settings, {"filesystem": "type", "project_quota": "projectQuotaSupport"})
    filesystem |= present(xfs=renamed(settings, {"xfs_min_group_size": "minAllocationGroupSize"}))
    yield document(
        "UserVolumeConfig",
        name,
        volumeType=settings.get("type"),
        provisioning=provisioning(settings),
        filesystem=filesystem,
        encryption=encryption(settings),
        mount=mount(settings),
        **upkeep(settings),
    )


def judge_user_volume(settings: Settings, *path: str) -> Iterator[Complaint]:
    """What does not go with the type or the filesystem."""
    kind = plain(settings, "type") or "partition"
    yield from judge_provisioning(settings, *path, needed=kind == "partition")
    yield from judge_encryption(settings, *path)
    unfit = {"disk": _PLACES, "directory": _ONLY_OF_DISKS}.get(str(kind), ())
    for key in unfit:
        if key in settings:
            yield Complaint((*path, key), f"a volume of the type {kind} cannot have it", "take it out")
    if kind == "disk" and "disk" not in settings:
        yield Complaint(path, "it says nothing about the disk it is", "add `disk:`")
    for key in ("project_quota", "xfs_min_group_size"):
        if key in settings and plain(settings, "filesystem") not in (None, "xfs"):
            yield Complaint((*path, key), "it is for xfs only", "take it out")
