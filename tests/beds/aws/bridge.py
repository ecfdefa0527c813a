"""Lets instances of the bed come to life: Talos machines at their addresses, behind the balancers and their names.

The bridge knows nothing of prov. It looks at EC2 through its API, as anybody could: for each instance that runs it
takes the user-data from there and boots a simulated machine at the instance's private address; what stops or is
terminated loses its power. For each balancer it listens at an address of its own, forwards to the registered targets
that pass their checks, and writes the name into a file of hosts.

    with Bridge(bed, hosts, balancers="10.255.0.") as bridge: …
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from attrs import define, field
from beds.aws.bed import REGION, Bed
from beds.aws.health import Target
from botocore.exceptions import BotoCoreError, ClientError
from prov_sim.machine.machine import Machine
from prov_sim.machine.order import Order
from prov_sim.world import World

T = TypeVar("T")
_LOOK_S = 0.1
_CHECK_S = 5.0
_CHUNK = 65536
_IMAGE = "v1.13.9"


class Site(World):
    """A world whose machines stand where somebody else says, and whose balancers are not its own."""

    def __init__(self) -> None:
        super().__init__(seed=0)
        self.behind: Callable[[str], set[str]] = lambda name: set()
        """The private addresses that a balancer's name leads to, healthy or not."""

    def boot(self, order: Order, id_: str, address: str) -> Machine:
        machine = Machine(order, id_, address, self)
        self.machines.add(machine)
        machine.switch_on(first=True)
        return machine

    def take_away(self, machine: Machine) -> None:
        machine.switch_off()
        self.machines.remove(machine)
        self._forget_empty_domains()

    def _control_planes_at(self, host: str) -> list[Machine]:
        addresses = {host, *self.behind(host)}
        return [one for one in self._control_planes.values() if one.up and one.address in addresses]


@define
class _Listener:
    """One port of a balancer, and the group it forwards to."""

    group: str
    server: asyncio.Server
    turn: int = 0


@define
class Bridge:
    """The bridge; `hosts` is a file in the form of /etc/hosts, `balancers` the beginning of their addresses."""

    bed: Bed
    hosts: Path
    balancers: str
    time_scale: float = 0.02
    region: str = REGION
    site: Site = field(factory=Site)
    names: dict[str, str] = field(factory=dict)
    """The address of each balancer, by its name."""
    left: list[tuple[str, frozenset[str]]] = field(factory=list)
    """Which instances lost their power because somebody stopped them, and on which etcd was well right after."""
    faults: list[str] = field(factory=list)
    """What went wrong inside, for a failing test to show."""
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _watcher: threading.Thread | None = None
    _looked: threading.Condition = field(factory=threading.Condition)
    _stop: threading.Event = field(factory=threading.Event)
    _listeners: dict[tuple[str, int], _Listener] = field(factory=dict)
    _groups: dict[str, set[str]] = field(factory=dict)
    _stopped: set[str] = field(factory=set)
    """Instances that somebody stopped; one that switched itself off stays off."""
    _pipes: set[asyncio.Task[None]] = field(factory=set)
    _ec2: Any = None
    _elbv2: Any = None

    def __enter__(self) -> Bridge:
        self._ec2 = self.bed.client("ec2", self.region, attempts=5)
        self._elbv2 = self.bed.client("elbv2", self.region, attempts=5)
        self.bed.health = answers
        self.site.behind = lambda name: self._groups.get(name, set())
        self._thread = threading.Thread(target=self._loop.run_forever, name="site", daemon=True)
        self._thread.start()
        self._watcher = threading.Thread(target=self._watch, name="bridge", daemon=True)
        self._watcher.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        assert self._watcher is not None
        assert self._thread is not None
        self._watcher.join()
        self._on_site(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def machines(self) -> dict[str, Machine]:
        """What runs, by the id of its instance."""
        return dict(self.site.machines)

    def hang(self, hostname: str) -> None:
        """What runs on an instance stands still, which EC2 does not notice; only stopping and starting it helps."""
        (machine,) = (one for one in self.site.machines.values() if one.hostname == hostname)
        self._on_site(_call(machine.switch_off))

    def wait(self, holds: Callable[[], bool], seconds: float = 100.0) -> None:
        """Until something holds that the bridge brings about; raises TimeoutError."""
        with self._looked:
            if not self._looked.wait_for(holds, seconds):
                raise TimeoutError("the bridge has not brought it about")

    # looking at EC2

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_S):
            try:
                self._look()
                with self._looked:
                    self._looked.notify_all()
            except (ClientError, BotoCoreError):
                continue  # a fault of the bed: the next look will do
            except Exception as err:
                self.faults.append(f"{type(err).__name__}: {err}")

    def _look(self) -> None:
        found = {one["InstanceId"]: one for one in self._instances()}
        for id_, instance in found.items():
            machine, state = self.site.machines.get(id_), instance["State"]["Name"]
            if state == "running" and machine is None:
                self._boot(instance)
            elif state == "running" and machine is not None and id_ in self._stopped:
                self._stopped.discard(id_)
                self._on_site(_call(machine.switch_on))
            elif state in ("stopping", "stopped") and machine is not None and id_ not in self._stopped:
                self._stopped.add(id_)
                self._on_site(_call(partial(self._switch_off, id_)))
        for id_, machine in [*self.site.machines.items()]:
            # What is not listed may be so for the moment; what ended stays listed for a while.
            if id_ in found and found[id_]["State"]["Name"] in ("shutting-down", "terminated"):
                self._on_site(_call(partial(self.site.take_away, machine)))
        self._balance()

    def _switch_off(self, id_: str) -> None:
        self.site.machines[id_].switch_off()
        self.left.append((id_, frozenset(other for other, one in self.site.machines.items() if one.etcd_healthy)))

    def _instances(self) -> Iterator[dict[str, Any]]:
        for page in self._ec2.get_paginator("describe_instances").paginate():
            for reservation in page["Reservations"]:
                yield from reservation["Instances"]

    def _boot(self, instance: dict[str, Any]) -> None:
        id_ = instance["InstanceId"]
        told = self._ec2.describe_instance_attribute(InstanceId=id_, Attribute="userData")
        raw = base64.b64decode(told["UserData"].get("Value", ""))
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
        order = Order(
            key=id_,
            lineage="site",
            name=id_,
            group=instance["VpcId"],
            role="",
            cpus=2,
            memory_mib=4096,
            zone=instance["Placement"]["AvailabilityZone"],
            image=_IMAGE,
            platform="nocloud",
            disk="/dev/xvda",
            user_data=text,
            time_scale=self.time_scale,
            seed=0,
        )
        self._on_site(_call(lambda: self.site.boot(order, id_, instance["PrivateIpAddress"])))

    # balancing

    def _balance(self) -> None:
        wanted: dict[tuple[str, int], str] = {}
        for balancer in self._elbv2.describe_load_balancers()["LoadBalancers"]:
            name = balancer["DNSName"]
            if balancer["State"]["Code"] == "active":
                for listener in self._elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])[
                    "Listeners"
                ]:
                    wanted[name, listener["Port"]] = listener["DefaultActions"][0]["TargetGroupArn"]
        self._groups = {name: self._registered(name, wanted) for name, _ in wanted}
        for place in self._listeners.keys() - wanted.keys():
            self._on_site(self._shut(place))
        for place, group in wanted.items():
            if place not in self._listeners:
                self._on_site(self._open(place, group))
        self._write_hosts({name for name, _ in wanted})

    def _registered(self, name: str, wanted: dict[tuple[str, int], str]) -> set[str]:
        """The private addresses of all targets behind a name."""
        groups = {group for (other, _), group in wanted.items() if other == name}
        ids = {
            one["Target"]["Id"]
            for group in groups
            for one in self._elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        }
        return {machine.address for id_, machine in self.site.machines.items() if id_ in ids}

    def _write_hosts(self, names: set[str]) -> None:
        """In place, for the file may be mounted over another."""
        lines = ["127.0.0.1 localhost", *(f"{self._address(name)} {name}" for name in sorted(names))]
        text = "\n".join(lines) + "\n"
        if not self.hosts.exists() or self.hosts.read_text() != text:
            self.hosts.write_text(text)

    def _address(self, name: str) -> str:
        return self.names.setdefault(name, f"{self.balancers}{len(self.names) + 1}")

    async def _open(self, place: tuple[str, int], group: str) -> None:
        name, port = place

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._forward(place, reader, writer))
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

        server = await asyncio.start_server(accept, self._address(name), port)
        self._listeners[place] = _Listener(group, server)

    async def _shut(self, place: tuple[str, int]) -> None:
        self._listeners.pop(place).server.close()

    async def _forward(
        self, place: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        listener = self._listeners.get(place)
        targets = await asyncio.to_thread(self.bed.healthy, listener.group, self.region) if listener else []
        if listener is None or not targets:
            writer.transport.abort()
            return
        listener.turn += 1
        target = targets[listener.turn % len(targets)]
        try:
            there = await asyncio.open_connection(target.address, target.port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        finally:
            there[1].transport.abort()
            writer.transport.abort()

    # the site's own thread

    def _on_site(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _close(self) -> None:
        for place in [*self._listeners]:
            await self._shut(place)
        for pipe in self._pipes:
            pipe.cancel()
        for machine in [*self.site.machines.values()]:
            self.site.take_away(machine)
        await asyncio.sleep(0)


def answers(target: Target) -> bool:
    """The check of a target: whether something listens there."""
    try:
        with socket.create_connection((target.address, target.port), _CHECK_S):
            return True
    except OSError:
        return False


async def _call(work: Callable[[], T]) -> T:
    return work()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()
