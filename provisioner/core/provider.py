"""The built-in provider `core`: what needs no place but the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from provisioner.core.value import ValueKind
from provisioner.sdk import PROTOCOL, AnyKind, Function


@frozen
class Settings:
    """There is nothing to set."""


class CoreProvider:
    """Objects that live in the state and nowhere else."""

    name: ClassVar[str] = "core"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = Settings
    kinds: ClassVar[Mapping[str, AnyKind]] = {"core.value": ValueKind()}
    functions: ClassVar[Mapping[str, Function]] = {}

    def connect(self, settings: Settings) -> None:
        """There is nobody to talk to."""


provider = CoreProvider()
