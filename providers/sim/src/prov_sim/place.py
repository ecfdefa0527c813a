"""Where a daemon's files are: socket, lock and log, side by side."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from provisioner.sdk import ProvError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


@frozen
class Place:
    """The files of one daemon."""

    socket: Path

    @property
    def lock(self) -> Path:
        return self.socket.with_suffix(".lock")

    @property
    def log(self) -> Path:
        return self.socket.with_suffix(".log")


def place_of(daemon: str, environment: Mapping[str, str]) -> Place:
    """The files of the daemon of that name; nothing is created. Raises ProvError for a name that is no plain word."""
    if not _NAME.fullmatch(daemon):
        raise ProvError(
            "this is no name for a daemon",
            detail=repr(daemon),
            remedy="take small letters, digits and dashes, such as default or lab-2",
        )
    return Place(directory(environment) / f"{daemon}.sock")


def directory(environment: Mapping[str, str]) -> Path:
    """`PROV_SIM_DIR`, else a folder in `XDG_RUNTIME_DIR`, else one in /tmp that has our user id in its name."""
    if environment.get("PROV_SIM_DIR"):
        return Path(environment["PROV_SIM_DIR"])
    if environment.get("XDG_RUNTIME_DIR"):
        return Path(environment["XDG_RUNTIME_DIR"]) / "prov-sim"
    return Path(f"/tmp/prov-sim-{os.getuid()}")  # noqa: S108  (checked to be ours, mode 0700)
