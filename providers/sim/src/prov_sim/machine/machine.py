"""The life of one simulated machine.

    (power on) ─► booting ─► no complete configuration ─► maintenance ─┐ ApplyConfiguration
                     │                                                 │
                     └─► complete ◄────────────────────────────────────┘
                            │ metal, not installed: installing ─► rebooting ─► booting
                            ▼
                         booting (services; a control plane waits for etcd) ─► running
                            │
                            └─ Reset: resetting ─► rebooting, or off

Everything runs on one event loop; what takes time is a task of the machine and dies with its power.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prov_sim.changes import CONTROL_PLANES
from prov_sim.machine.api import NOT_SIMULATED, MachineService
from prov_sim.machine.cosi import StateService
from prov_sim.machine.credentials import api_certificate, certifiable, kubernetes_certificate
from prov_sim.machine.documents import BadConfig, MachineConfig
from prov_sim.machine.etcd import Domain, Etcd, NoQuorum
from prov_sim.machine.facts import Hardware, hardware_of, node_facts
from prov_sim.machine.node import Node
from prov_sim.machine.order import Disk, Erasure, EtcdData, Order, Surroundings
from prov_sim.machine.release import Release
from prov_sim.machine.rules import accept
from prov_sim.machine.server import MachineServer
from prov_sim.pace import Pace

if TYPE_CHECKING:
    from prov_sim.machine.kubernetes import KubernetesApi

log = logging.getLogger(__name__)


class Machine:
    """One machine. `stage` is Talos's word for where it is, or "off"; `error` what is wrong, for people.

    A machine with a body of its own, such as the stand-in image, is a subclass: it does for real what the
    methods under "What a body does" only let time pass for. `listen` is where its servers listen, if not at
    its address.
    """

    system = "Talos"
    """What it calls its operating system."""

    build = "simulated"
    """What it calls its build."""

    more_names: tuple[str, ...] = ()
    """Further names and addresses that its certificates are for."""

    def __init__(self, order: Order, machine_id: str, address: str, world: Surroundings, *, listen: str = "") -> None:
        self.order: Order = order
        self.id = machine_id
        self.address = address
        self.role = order.role
        self.talos = Release.of(order.image)
        self.disk = Disk(installed=order.mode == "cloud")
        self.power = "off"
        self.dead = False
        self.held = False
        self.stage = "off"
        self.error = ""
        self.fingerprint = ""  # of its key in maintenance, as its console tells it
        self.boots = 0
        self.boot_id: str = ""
        self.config_version = 0
        self.etcd_state = ""
        self.bootstrap_asked = False
        self.reboot_pending = False
        self.waits_for_boot: tuple[str, ...] = ()
        self.world = world
        self.pace = Pace(order.time_scale, f"{order.seed}/{order.group}/{order.name}")
        self._active: MachineConfig | None = None
        self._topics: tuple[str, ...] = (machine_id,)
        self._node = ""
        self._kubelet_up = False
        self._kubernetes: KubernetesApi | None = None
        self._listen = listen or address
        self._server = MachineServer(self._listen, (MachineService(self), StateService(self)), self.talos)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    # What others may know of it.

    @property
    def active(self) -> MachineConfig | None:
        """The configuration it runs with."""
        return self._active

    @property
    def up(self) -> bool:
        """Whether it is configured and answers on its API."""
        return self.active is not None and self._server.listening and self._server.configured

    @property
    def is_control_plane(self) -> bool:
        return self.active is not None and self.active.is_control_plane

    @property
    def hostname(self) -> str:
        made_up = f"talos-{self.id[-6:-3]}-{self.id[-3:]}"
        return (self.active.hostname if self.active is not None else "") or made_up

    @property
    def hardware(self) -> Hardware:
        """What its firmware says of it."""
        return hardware_of(self.id)

    @property
    def operating_system(self) -> str:
        """Its name with its version."""
        return f"{self.system} ({self.order.image})"

    @property
    def kubernetes_up(self) -> bool:
        return self._kubernetes is not None and self.etcd_healthy

    @property
    def kubelet_up(self) -> bool:
        return self._kubelet_up

    @property
    def etcd_healthy(self) -> bool:
        data = self.disk.etcd
        running = self.etcd_state == "Running" and data is not None and not data.removed
        return running and data is not None and not data.member.learner and data.etcd.healthy

    @property
    def domain(self) -> Domain | None:
        return self.world.domain(self.active) if self.active is not None else None

    def keeps(self, node: str) -> bool:
        return self._kubelet_up and self.hostname == node

    @property
    def node_ready(self) -> bool:
        domain = self.domain
        found = [etcd.nodes.get(self._node) for etcd in domain.etcds] if domain is not None else []
        return any(node is not None and node.kubelet is self and node.ready for node in found)

    # What people, clouds and API calls do to it.

    def switch_on(self, *, first: bool = False) -> None:
        """Power on; nothing happens to a dead machine."""
        if self.dead or self.power == "on":
            return
        if not first:
            self.power = "on"
        self._begin(self._live(after="provision" if first else ""))

    def switch_off(self) -> None:
        """Power is cut."""
        self._stop(cut=True)
        self.power = self.stage = "off"
        self.announce()

    def die(self) -> None:
        """Power is cut for good."""
        self.dead = True
        self.switch_off()

    def reboot(self) -> None:
        """An orderly reboot; connections end after what was answered."""
        if self.power == "on":
            self._begin(self._reboot())

    def release(self) -> None:
        self.held = False
        self.announce()

    def announce(self) -> None:
        """Something about it changed; whoever waits for that looks again."""
        self.world.changes.announce(*self._topics)

    def loses(self, method: str) -> bool:
        """Whether the answer to this call shall be lost; the fault is used up."""
        return self.world.faults.next(method, self.id) == "lost"

    def drop_connections(self) -> None:
        self._server.drop_connections()

    def accept(self, data: bytes) -> MachineConfig:
        """The configuration, if Talos would take it here; raises BadConfig."""
        return accept(data, mode=self.order.mode, installed=self.disk.installed, release=self.talos)

    def configure(self, config: MachineConfig) -> None:
        """Takes a configuration in maintenance; an incomplete one changes nothing but the disk."""
        self.persist(config)
        if config.complete:
            self._begin(self._live(boot=False))

    def apply_live(self, config: MachineConfig, *, waits: tuple[str, ...] = ()) -> None:
        """Takes a configuration over; `waits` are changed places that the next boot brings into force."""
        self.waits_for_boot = tuple(sorted({*self.waits_for_boot, *waits}))
        self.persist(config)
        self._run(config)
        self.renew_certificates()
        self._report_node()
        self.announce()

    def renew_certificates(self) -> None:
        """Presents certificates for the names it has now, as far as somebody signs them."""
        if self._active is None:
            return
        issued = api_certificate(self, self._active)
        if issued is not None:
            self._server.renew(issued)
        if self._kubernetes is not None:
            self._kubernetes.renew(kubernetes_certificate(self, self._active))

    def persist(self, config: MachineConfig) -> None:
        """Writes a configuration for the next boot."""
        self.disk.config = config
        self.config_version += 1
        self.keep()

    def bootstrap(self) -> None:
        """Lets etcd begin a cluster of its own; forgotten if power fails before it has."""
        self.bootstrap_asked = True
        self.announce()

    def reset(self, erasure: Erasure, *, graceful: bool, reboot: bool) -> None:
        """Begins a reset."""
        self._spawn(self._reset(erasure, graceful=graceful, reboot=reboot))

    def shut_down(self) -> None:
        """An orderly end; connections end after what was answered."""
        if self.power == "on":
            self._begin(self._shut_down())

    # What a body does.

    def keep(self) -> None:
        """What the disk holds has changed; a simulated disk has it already."""

    def wipe(self, *, labels: frozenset[str], everything: bool) -> None:
        """Erases partitions; of a simulated disk they are gone already."""

    async def install(self, config: MachineConfig) -> str:
        """Installs to the disk that `config` names; returns what went wrong, or nothing."""
        await self.pace.wait("install")
        fits = config.installs_onto(self.order.disk)
        if fits:
            return ""
        wish = "the disk that is wanted is not there" if fits is False else "nothing tells which disk"
        return f"{wish}; there is {self.order.disk}"

    async def upgrade(self, image: str) -> str:
        """Writes `image` where the next boot takes it from; returns what went wrong, or nothing."""
        return NOT_SIMULATED

    async def roll_back(self) -> str:
        """Lets the next boot take the system before this one; returns what went wrong, or nothing."""
        return NOT_SIMULATED

    # Its life.

    async def _live(self, *, after: str = "", boot: bool = True) -> None:
        if after:
            await self.pace.wait(after)
        self.power = "on"
        while True:
            if boot and not await self._load():
                return
            if not await self._install_or_start():
                return
            await self._go_down()
            boot = True

    async def _load(self) -> bool:
        """Boots as far as the configuration; false where there is no complete one, or no good one."""
        self.stage, self.error = "booting", ""
        self.boots += 1
        self.waits_for_boot = ()
        self.boot_id = str(uuid.UUID(int=self.world.random.getrandbits(128), version=4))
        self.announce()
        await self.pace.wait("boot")
        await self._until(lambda: not self.held)
        if not self.disk.bootable:
            self.error = "no bootable disk"
            self.announce()
            return False
        if self.disk.config is None and self.order.user_data:
            try:
                self.persist(self.accept(self.order.user_data.encode()))
            except BadConfig as err:
                # The real thing logs it and tries again for hours; user-data does not get better meanwhile.
                self.error = f"user-data refused: {err}"
                self.announce()
                return False
        if self.disk.config is not None and self.disk.config.complete:
            return True
        self._server.close()
        self.fingerprint = await self._server.open_maintenance()
        self.stage = "maintenance"
        self.announce()
        return False

    async def _install_or_start(self) -> bool:
        """Installs Talos, or starts its services; true when a reboot is due."""
        config = self.disk.config
        assert config is not None
        self._run(config)
        self._server.close()
        self._spawn(self._open_api(config))
        if self.disk.installed:
            await self._start(config)
            return False
        self.stage = "installing"
        self.announce()
        wrong = await self.install(config)
        if wrong:
            self.error = f"install failed: {wrong}"
            self.announce()
            return False
        self.disk.installed = True
        self.keep()
        return True

    async def _start(self, config: MachineConfig) -> None:
        self.stage = "booting"
        self.announce()
        await self.pace.wait("services")
        self.disk.filled = frozenset(self.order.extra_disks)
        self._spawn(self._run_kubelet(config))
        if config.is_control_plane:
            self._spawn(self._run_etcd(config))
            await self._until(lambda: self.etcd_state == "Running")
        await self._until(lambda: self._server.listening)
        self.stage = "running"
        self.announce()

    async def _open_api(self, config: MachineConfig) -> None:
        await self._until(lambda: certifiable(self, config), CONTROL_PLANES)
        await self.pace.wait("certificate")
        await self._until(lambda: certifiable(self, config), CONTROL_PLANES)
        issued = api_certificate(self, config)
        assert issued is not None
        await self._server.open_configured(issued)
        self.announce()

    async def _run_etcd(self, config: MachineConfig) -> None:
        domain = self.world.domain(config)
        if self.disk.etcd is None:
            self.etcd_state = "Preparing"
            self.announce()
            await self._until(lambda: self.bootstrap_asked or domain.joinable() is not None, CONTROL_PLANES)
            self.disk.etcd = self._new_etcd_data(domain)
            self.keep()
            self.announce()
        data = self.disk.etcd
        self.etcd_state = "Starting"
        await self.pace.wait("etcd start")
        if data.removed:
            self._etcd_failed()
            return
        data.member.up, self.etcd_state = True, "Running"
        self.announce()
        if data.member.learner:
            await self.pace.wait("etcd join")
            await self._until(lambda: data.etcd.healthy or data.removed, CONTROL_PLANES)
            data.member.learner = False
            self.announce()
        await self._until(lambda: data.etcd.healthy or data.removed, CONTROL_PLANES)
        if not data.removed:
            self._spawn(self._run_kubernetes(data.etcd))
        await self._until(lambda: data.removed, CONTROL_PLANES)
        self._etcd_failed()

    def _new_etcd_data(self, domain: Domain) -> EtcdData:
        etcd = domain.joinable()
        if self.bootstrap_asked or etcd is None:
            return EtcdData(*domain.bootstrap(self.hostname, self.address))
        return EtcdData(etcd, domain.join(etcd, self.hostname, self.address))

    def _etcd_failed(self) -> None:
        self.etcd_state, self.error = "Failed", "etcd: this member was removed from its cluster"
        self.announce()

    async def _run_kubernetes(self, etcd: Etcd) -> None:
        from prov_sim.machine.kubernetes import KubernetesApi  # aiohttp is half of what a daemon loads

        await self.pace.wait("kube-apiserver")
        config = self.active
        assert config is not None
        api = KubernetesApi(
            self._listen, etcd, lambda: (self.active or config).kubernetes_version or self.talos.default_kubernetes
        )
        await api.open(kubernetes_certificate(self, config))
        self._kubernetes = api
        self.announce()

    async def _run_kubelet(self, config: MachineConfig) -> None:
        await self.pace.wait("kubelet")
        self._kubelet_up = True
        self.announce()
        await self._until(lambda: self._registry() is not None, CONTROL_PLANES)
        await self.pace.wait("node registration")
        await self._until(lambda: self._registry() is not None, CONTROL_PLANES)
        etcd = self._registry()
        assert etcd is not None
        self._node = self.hostname
        known = etcd.nodes.get(self._node)
        etcd.nodes[self._node] = Node(
            facts=node_facts(self, config),
            kubelet=self,
            uid=known.uid if known else str(uuid.UUID(int=self.world.random.getrandbits(128), version=4)),
            created=known.created if known else datetime.now(UTC),
            version=self.config_version + self.boots,
        )
        self.announce()

    def _registry(self) -> Etcd | None:
        """The etcd whose Kubernetes API the kubelet reaches: a control plane asks its own."""
        data = self.disk.etcd
        if self.is_control_plane and data is not None:
            return data.etcd if self.etcd_healthy else None
        domain = self.domain
        return domain.serving() if domain is not None else None

    def _report_node(self) -> None:
        domain = self.domain
        for etcd in domain.etcds if domain is not None else ():
            for node in etcd.nodes.values():
                if node.kubelet is self and self.active is not None:
                    node.facts = node_facts(self, self.active)
                    node.version += 1

    # Going down.

    async def _reset(self, erasure: Erasure, *, graceful: bool, reboot: bool) -> None:
        before, self.stage = self.stage, "resetting"
        self.announce()
        data = self.disk.etcd
        if graceful and data is not None and not data.removed:
            try:
                data.etcd.remove(data.member.id)
            except NoQuorum as err:
                self.stage, self.error = before, f"reset failed: cannot leave etcd: {err}"
                self.announce()
                return
        self._begin(self._wipe(erasure, reboot=reboot))

    async def _wipe(self, erasure: Erasure, *, reboot: bool) -> None:
        labels, everything = erasure.labels, erasure.everything
        self._stop_services()
        self.announce()
        await self.pace.wait("reset")
        if everything or "STATE" in labels:
            self.disk.config = None
        if everything or "EPHEMERAL" in labels:
            self.disk.etcd = None
        if everything:
            # On metal the machine comes back from its boot medium; a cloud image was its only way to boot.
            self.disk.installed = False
            self.disk.bootable = self.order.mode == "metal"
            self.world.erased(self, self.order.disk)
        self.wipe(labels=labels, everything=everything)
        for disk in erasure.disks:
            self.disk.filled -= {disk}
            self.world.erased(self, disk)
        if not reboot:
            self._server.close()
            self.switch_off()
            return
        await self._go_down()
        await self._live()

    async def _reboot(self) -> None:
        await self._go_down()
        await self._live()

    async def _shut_down(self) -> None:
        self.stage = "shutting down"
        self._stop(cut=False)
        self.announce()
        await self.pace.wait("shutdown")
        self.switch_off()

    async def _go_down(self) -> None:
        self.stage = "rebooting"
        api, self._kubernetes = self._kubernetes, None
        self._stop(cut=False)
        self.announce()
        if api is not None:
            await api.close()
        await self.pace.wait("reboot")

    def _stop(self, *, cut: bool) -> None:
        """Ends tasks, services and listeners; the disk stays as it is."""
        self._cancel_tasks()
        self._stop_services()
        self._run(None)
        self.bootstrap_asked = self.reboot_pending = False
        if cut:
            self._server.cut()
        else:
            self._server.close()

    def _stop_services(self) -> None:
        if self.disk.etcd is not None:
            self.disk.etcd.member.up = False
        self.etcd_state = ""
        self._kubelet_up = False
        api, self._kubernetes = self._kubernetes, None
        if api is not None:
            task = asyncio.get_running_loop().create_task(api.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _run(self, config: MachineConfig | None) -> None:
        """Runs with another configuration, or with none any more."""
        self._active = config
        if config is not None and config.is_control_plane:
            self._topics = (self.id, CONTROL_PLANES)  # for good: others hear of its end, too
        self.world.runs(self)

    # Tasks.

    async def _until(self, holds: Callable[[], bool], *topics: str) -> None:
        """Waits until something holds that turns on this machine, and on further topics."""
        await self.world.changes.until(holds, self.id, *topics)

    def _begin(self, life: Coroutine[Any, Any, None]) -> None:
        """Ends whatever the machine was doing and lets it do this."""
        self._cancel_tasks()
        self._spawn(life)

    def _cancel_tasks(self) -> None:
        current = asyncio.current_task()
        for task in tuple(self._tasks):
            if task is not current:
                task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (err := task.exception()) is not None:
            self.error = f"{type(err).__name__}: {err}"
            log.error("machine %s", self.id, exc_info=err)
