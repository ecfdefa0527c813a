"""The volumes of a machine."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.config.documents.encryption import judge_encryption
from provisioner.talos.config.documents.existing_volume import EXISTING, existing_volume
from provisioner.talos.config.documents.provisioning import judge_provisioning, limit_provisioning
from provisioner.talos.config.documents.raw_volume import RAW, raw_volume
from provisioner.talos.config.documents.swap_volume import SWAP, swap_volume
from provisioner.talos.config.documents.system_volume import (
    SYSTEM,
    judge_system_volume,
    limit_system_volume,
    system_volume,
)
from provisioner.talos.config.documents.user_volume import USER, judge_user_volume, user_volume
from provisioner.talos.settings.section import Complaint, Document, Section, Settings, Target, table, tables
from provisioner.talos.settings.shape import Key, Table
from provisioner.talos.versions import Contract

_VOLUMES = Key(
    Table({"system": SYSTEM, "user": USER, "raw": RAW, "swap": SWAP, "existing": EXISTING}),
    "partitions and disks, each by name",
)
_KINDS = {
    "system": system_volume,
    "user": user_volume,
    "raw": raw_volume,
    "swap": swap_volume,
    "existing": existing_volume,
}


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    volumes = table(settings, "volumes")
    for group, make in _KINDS.items():
        for name, volume in tables(volumes, group):
            yield from make(name, volume)


def _judge(settings: Settings) -> Iterator[Complaint]:
    volumes = table(settings, "volumes")
    for name, volume in tables(volumes, "system"):
        yield from judge_system_volume(name, volume, "volumes", "system", name)
    for name, volume in tables(volumes, "user"):
        yield from judge_user_volume(volume, "volumes", "user", name)
    for group in ("raw", "swap"):
        for name, volume in tables(volumes, group):
            yield from judge_provisioning(volume, "volumes", group, name, needed=True)
            yield from judge_encryption(volume, "volumes", group, name)


def _limits(settings: Settings, contract: Contract) -> Iterator[Complaint]:
    volumes = table(settings, "volumes")
    for group in ("system", "user", "raw", "swap"):
        for name, volume in tables(volumes, group):
            yield from limit_provisioning(volume, contract, "volumes", group, name)
    for name, _ in tables(volumes, "system"):
        yield from limit_system_volume(name, contract, "volumes", "system", name)


VOLUMES = Section({"volumes": _VOLUMES}, _compile, _judge, _limits)
