"""The simulated machine with a body: a real disk, real boots, a real end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from prov_sim.machine.documents import MachineConfig, decode
from prov_sim.machine.facts import Hardware
from prov_sim.machine.machine import Machine
from prov_sim.machine.order import Order
from prov_sim.pace import Pace

from prov_standin import disk, efi, images, kernel, volumes
from prov_standin.console import say, tell_key
from prov_standin.disk import SystemDisk
from prov_standin.layout import SYSTEM
from prov_standin.network import links
from prov_standin.release import Release
from prov_standin.sources import smbios
from prov_standin.world import World

LOADER: Final = Path("/usr/lib/standin/loader.efi")
ANYWHERE: Final = "0.0.0.0"  # noqa: S104  (a machine listens on all its addresses)

_FAREWELL_S: Final = 0.3
"""How long answers have to leave the machine before it goes down."""


class _RealPace(Pace):
    """What takes time takes it for real; only answers need a moment to get away."""

    async def wait(self, what: str) -> None:
        await asyncio.sleep(_FAREWELL_S if what in ("reboot", "shutdown") else 0)


class StandIn(Machine):
    """A machine that installs, keeps, upgrades, reboots and wipes for real."""

    system = SYSTEM
    build = "prov-stand-in"

    def __init__(
        self, order: Order, machine_id: str, address: str, world: World, release: Release, slot: str
    ) -> None:
        super().__init__(order, machine_id, address, world, listen=ANYWHERE)
        self.pace = _RealPace(0.0, machine_id)
        self._world = world
        self._release = release
        world.inhabit(self)
        self._slot = slot
        self._system = SystemDisk.find()
        self._told = ""
        self._kept: dict[str, dict[str, Any]] = {}
        self.proved = False
        """Whether this system has come up since it was booted."""
        # A cloud image that was started without a disk of ours has nothing to install itself from.
        in_memory = order.mode == "cloud" and not images.has_boot_medium()
        self.disk.installed = self._system is not None or in_memory
        if self._system is not None:
            self._remember(self._system)

    @property
    def hostname(self) -> str:
        """The configured name, or what the platform calls the machine, or a made-up one."""
        return (self.active.hostname if self.active is not None else "") or self.order.name or super().hostname

    @property
    def hardware(self) -> Hardware:
        """What the firmware of the machine says."""
        return Hardware(smbios("product_uuid"), smbios("product_serial"), {link.name: link.mac for link in links()})

    # What a body does.

    def announce(self) -> None:
        super().announce()
        told = f"stage {self.stage}" + (f": {self.error}" if self.error else "")
        if told != self._told:
            self._told = told
            say(told)
            if self.stage == "maintenance":
                tell_key(self.fingerprint)
        # A worker gets its certificate from others, whose absence is no fault of its own system.
        if self.up or self.stage == "maintenance" or (self.active is not None and not self.is_control_plane):
            self._prove()
        self._world.tell()

    def keep(self) -> None:
        if self._system is None:
            return
        config = self.disk.config
        state = {"version": self.config_version, "config": config.text if config is not None else ""}
        data = self.disk.etcd
        self._write("STATE", state)
        self._write("META", {"boots": self.boots})
        self._write("EPHEMERAL", self._world.document(data) if data is not None else {})

    def wipe(self, *, labels: frozenset[str], everything: bool) -> None:
        if self._system is None:
            return
        if everything:
            self._system.wipe_everything()
            self._system = None
            return
        for label in sorted(labels & {"META", "STATE", "EPHEMERAL"}):
            self._system.wipe(label)
            self._kept.pop(label, None)
            say(f"wiped {label}")

    async def install(self, config: MachineConfig) -> str:
        there = [item for item in volumes.devices() if item.is_disk]
        target = next((item for item in there if config.installs_onto(item.path)), None)
        if target is None:
            paths = ", ".join(item.path for item in there) or "none"
            return f"no disk is the one that is wanted; there is {paths}"
        reference = _installer(config)
        try:
            system = await asyncio.to_thread(self._fetch, reference, documents(config))
            self._system = await asyncio.to_thread(disk.install, target, LOADER.read_bytes(), system)
        except (images.NoImage, OSError, ValueError) as err:
            return str(err)
        say(f"installed {target.path}")
        return ""

    async def upgrade(self, image: str) -> str:
        if self._system is None or self.active is None:
            return "the machine is not installed"
        other = self._other_slot()
        try:
            system = await asyncio.to_thread(images.fetch, image, documents(self.active))
            command_line = efi.command_line_of(system)
            with efi.slots(self._system.efi()) as slots:
                slots.put(other, system, command_line, proved=False)
        except (images.NoImage, OSError, ValueError) as err:
            say(f"upgrade refused: {err}")
            return f"upgrade failed: {err}"
        say(f"upgrade written to slot {other}")
        return ""

    async def roll_back(self) -> str:
        if self._system is None:
            return "the machine is not installed"
        other = self._other_slot()
        try:
            with efi.slots(self._system.efi()) as slots:
                slots.return_to(other)
        except KeyError:
            return "there is no system to go back to"
        except OSError as err:
            return f"rollback failed: {err.strerror}"
        say(f"rollback to slot {other}")
        return ""

    def switch_off(self) -> None:
        super().switch_off()
        self._end("off")

    async def _go_down(self) -> None:
        await super()._go_down()
        self._end("reboot")

    # Its own.

    def _end(self, action: str) -> None:
        say(f"power {action}")
        kernel.power(action)

    def _remember(self, system: SystemDisk) -> None:
        """Takes up what the disk keeps."""
        state = system.read("STATE")
        self.config_version = int(state.get("version", 0))
        self.boots = int(system.read("META").get("boots", 0))
        if state.get("config"):
            config = decode(str(state["config"]).encode())
            self.disk.config = config
            kept = system.read("EPHEMERAL")
            if kept and config.is_control_plane:
                self.disk.etcd = self._world.restore(kept, config)

    def _write(self, label: str, value: dict[str, Any]) -> None:
        """Writes what is different now; disks wear out."""
        if self._system is not None and self._kept.get(label) != value:
            self._system.write(label, value)
            self._kept[label] = value

    def _fetch(self, reference: str, found: Iterable[Mapping[str, Any]]) -> bytes:
        """The system to install: what was booted, unless the reference asks for another one."""
        if not reference or images.is_same(reference, self._release.version, self._release.schematic):
            try:
                return images.boot_medium()
            except images.NoImage:
                if not reference:
                    raise
        return images.fetch(reference, found)

    def _other_slot(self) -> str:
        return "a" if self._slot == "b" else "b"

    def _prove(self) -> None:
        """Tells the boot loader that this slot works."""
        if self.proved or self._system is None or not self._slot:
            return
        self.proved = True
        self._write("META", {"boots": self.boots})
        with efi.slots(self._system.efi()) as slots:
            if slots.prove(self._slot):
                say(f"slot {self._slot} is good")
        os.sync()


def _installer(config: MachineConfig) -> str:
    """The image that a configuration wants to be installed; empty for that of the boot medium."""
    installer = config.document("UnattendedInstallConfig").get("installer") or {}
    return str(installer.get("image") or config.get("machine", "install", "image") or "")


def documents(config: MachineConfig) -> list[Mapping[str, Any]]:
    """All documents of a configuration, the v1alpha1 one among them."""
    return [*([config.root] if config.root is not None else []), *config.documents]
