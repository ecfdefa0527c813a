"""The provider `qemu`.

It stands in a module of another name than its own, so that `prov_qemu.provider` is never the module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from prov_qemu.computer import Computer
from prov_qemu.design import design, endpoint
from prov_qemu.kinds.address import AddressKind
from prov_qemu.kinds.capacity import CapacityGate
from prov_qemu.kinds.disk import DiskKind
from prov_qemu.kinds.image import ImageKind
from prov_qemu.kinds.machine import MachineKind
from prov_qemu.kinds.network import NetworkKind
from prov_qemu.settings import QemuNodeOptions, QemuSettings
from provisioner.sdk import PROTOCOL, AnyKind, BootRefs, Design, Endpoint, Function, Slice


class QemuProvider:
    """Virtual machines on this computer; nothing about them is kept anywhere else."""

    name: ClassVar[str] = "qemu"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = QemuSettings
    node_options: ClassVar[type[Any]] = QemuNodeOptions
    kinds: ClassVar[Mapping[str, AnyKind]] = {
        "qemu.address": AddressKind(),
        "qemu.capacity": CapacityGate(),
        "qemu.disk": DiskKind(),
        "qemu.image": ImageKind(),
        "qemu.machine": MachineKind(),
        "qemu.network": NetworkKind(),
    }
    functions: ClassVar[Mapping[str, Function]] = {}

    def connect(self, settings: QemuSettings) -> Computer:
        """This computer; touches nothing."""
        return Computer.here(os.environ)

    def endpoint(self, part: Slice) -> Endpoint | None:
        return endpoint(part)

    def design(self, part: Slice, boot: BootRefs) -> Design:
        return design(part, boot)


provider = QemuProvider()
