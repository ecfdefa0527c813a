"""What a provider block and a pool may say."""

from __future__ import annotations

from attrs import frozen


@frozen
class Settings:
    """The provider block. `folder` is where Acme keeps what it has, relative to where prov runs."""

    folder: str = ".acme"


@frozen
class NodeOptions:
    """What a pool may say beyond the common fields. `disk_gib` is the size of each node's disk."""

    disk_gib: int = 10


SIZES = ("small", "large")
DEFAULT_SIZE = "small"
