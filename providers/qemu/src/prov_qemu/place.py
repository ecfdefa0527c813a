"""Where things are kept: one folder for each cluster, and a cache of what was downloaded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from provisioner.sdk import ProvError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@frozen
class Place:
    """The folders of one user.

    data   the clusters, each in a folder of its name; whatever stands here exists, and nothing else does
    cache  what can be had again
    """

    data: Path
    cache: Path

    def folder(self, kind: str, cluster: str, name: str) -> Path:
        """The folder of one object, such as `data/demo/machine/control-1`; raises ProvError for an unusable name."""
        return self.data / checked(cluster) / kind / checked(name)


def place_of(environment: Mapping[str, str]) -> Place:
    """`PROV_QEMU_DIR` has both where it is set, else they are below `XDG_DATA_HOME` and `XDG_CACHE_HOME`."""
    if environment.get("PROV_QEMU_DIR"):
        base = Path(environment["PROV_QEMU_DIR"]).absolute()
        return Place(base / "clusters", base / "cache")
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    return Place(data / "prov" / "qemu", cache / "prov" / "qemu")


def checked(name: str) -> str:
    """A name that can be a folder; raises ProvError for another one."""
    if not _NAME.fullmatch(name):
        raise ProvError(
            "this name cannot be the name of a folder",
            detail=repr(name),
            remedy="take small letters, digits and dashes, at most 63 of them",
        )
    return name
