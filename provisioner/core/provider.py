"""The built-in provider `core`: what needs no place but the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from provisioner.core.value import ValueKind
from provisioner.sdk import PROTOCOL, AnyKind, Function, Job, Limits, Value


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

    def limits(self, settings: Mapping[str, Value]) -> Limits:
        """Nobody is there to be spared, and the more at once, the fewer commits."""
        return Limits(in_flight=2048)

    def called_at(self, job: Job[Any, Any]) -> str:
        return ""


provider = CoreProvider()
