"""Talos on the servers of a rack: the simulator's machines, each with the configuration that its server's disk has.

They run on an event loop of their own thread, as fast as they can; what is asked of them from outside is handed over
to it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from attrs import define, field
from beds.rack.server import Server
from prov_sim.machine.documents import BadConfig, MachineConfig
from prov_sim.machine.machine import Machine
from prov_sim.machine.order import Order
from prov_sim.machine.release import Release
from prov_sim.machine.rules import accept
from prov_sim.world import World

T = TypeVar("T")
RELEASE = "v1.13.9"
_MOMENT_S = 0.01


class Installed(Machine):
    """Talos as it boots from the disk of a server. `wiped` tells that it has reset itself, `bare` that all of its
    disk went.

    One that `hangs` ends its API when it resets itself, as Talos does, and then gets no further.
    """

    wiped = False
    bare = False
    hangs = False

    etcd_waits = False

    async def _run_etcd(self, config: MachineConfig) -> None:
        if self.etcd_waits:
            self.etcd_state = "Preparing"
            self.announce()
        else:
            await super()._run_etcd(config)

    def wipe(self, *, labels: frozenset[str], everything: bool) -> None:
        self.wiped = self.wiped or everything or "STATE" in labels
        self.bare = self.bare or everything
        if self.hangs:
            self._server.close()
            raise OSError("a disk does not let itself be erased")


@define(eq=False)
class Site:
    """All of a rack's installed servers; satisfies `server.Site`."""

    world: World = field(factory=lambda: World(7))
    extra_disks: tuple[str, ...] = ()
    _machines: dict[str, Installed] = field(factory=dict)
    _loop: asyncio.AbstractEventLoop | None = None

    def boot(self, server: Server, config: bytes) -> None:
        self._ask(lambda: self._boot(server, config))

    def cut(self, server: Server) -> None:
        machine = self._machines.get(server.plate.name)
        if machine is not None:
            self._ask(machine.switch_off)

    def on(self, server: Server) -> bool:
        machine = self._machines.get(server.plate.name)
        return machine is not None and machine.power == "on"

    def wiped(self, server: Server) -> bool:
        machine = self._machines.get(server.plate.name)
        return machine is not None and machine.wiped

    def bare(self, server: Server) -> bool:
        machine = self._machines.get(server.plate.name)
        return machine is not None and machine.bare

    def complaint(self, config: bytes) -> str:
        try:
            accept(config, mode="metal", installed=False, release=Release.of(RELEASE))
        except BadConfig as err:
            return str(err)
        return ""

    def machine(self, name: str) -> Installed | None:
        """The machine on a server, if one ever ran there."""
        return self._machines.get(name)

    def settle(self) -> None:
        """Lets machines that are about something get on with it, for a moment of real time."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(_MOMENT_S), self._loop).result(60)

    def close(self) -> None:
        if self._loop is not None:
            self._ask(self.world.close)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    def _boot(self, server: Server, config: bytes) -> None:
        plate = server.plate
        old = self._machines.pop(plate.name, None)
        if old is not None:
            old.switch_off()
            self.world.machines.remove(old)
        order = Order(
            key=plate.name,
            lineage="",
            name=plate.name,
            group="rack",
            role="",
            cpus=4,
            memory_mib=8192,
            zone="",
            image=RELEASE,
            platform="nocloud" if config else "metal",
            disk="/dev/sda",
            user_data=config.decode(),
            time_scale=0.0,
            seed=7,
            extra_disks=self.extra_disks,
        )
        machine = Installed(order, f"m-{plate.uuid}", plate.address, self.world)
        if old is not None and not old.wiped:
            machine.disk = old.disk
        machine.etcd_waits = server.trouble.etcd_waits
        self._machines[plate.name] = machine
        self.world.machines.add(machine)
        machine.switch_on()

    def _ask(self, work: Callable[[], T]) -> T:
        """What `work` gives, done on the loop."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="site", daemon=True).start()

        async def done() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(60)
