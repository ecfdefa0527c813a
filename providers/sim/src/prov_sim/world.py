"""Everything a daemon simulates: machines, balancers, and the clusters that form among them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Final, TypeVar

from prov_sim.addresses import Addresses
from prov_sim.balancer import Balancer, BalancerOrder
from prov_sim.changes import Changes
from prov_sim.faults import FaultBook
from prov_sim.machine.certificates import Authority, load_authority
from prov_sim.machine.documents import MachineConfig
from prov_sim.machine.etcd import Domain
from prov_sim.machine.machine import Machine
from prov_sim.machine.order import MODES, Order

TALOS_MINOR: Final = "v1.13."
"""The only minor release whose behaviour is simulated."""

Thing = TypeVar("Thing", Machine, Balancer)


class Refused(Exception):
    """A control call cannot be done. `code` is stable, the text is for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class World:
    """All there is; the ground truth that tests ask."""

    def __init__(self, seed: int) -> None:
        self.changes = Changes()
        self.random = Random(seed)  # noqa: S311  (names and ids, not secrets)
        self.faults = FaultBook()
        self.machines: dict[str, Machine] = {}
        self.balancers: dict[str, Balancer] = {}
        self.control_calls: Counter[str] = Counter()
        self.api_calls: Counter[str] = Counter()
        self._addresses = Addresses()
        self._domains: dict[str, Domain] = {}

    @property
    def empty(self) -> bool:
        return not self.machines and not self.balancers

    # Made and removed by control calls.

    def create_machine(self, order: Order) -> Machine:
        """The machine of `order.key`, made if it is not there; raises Refused when its name is taken."""
        if not order.image.startswith(TALOS_MINOR):
            raise Refused("invalid", f"simulated machines boot Talos {TALOS_MINOR}x, not {order.image}")
        if order.platform not in MODES:
            raise Refused("invalid", f"no platform {order.platform!r}; there are {', '.join(MODES)}")
        machine = _existing(self.machines, order)
        if machine is None:
            machine = Machine(order, self._new_id("m"), self._addresses.take(), self)
            self.machines[machine.id] = machine
            machine.switch_on(first=True)
        return machine

    async def create_balancer(self, order: BalancerOrder) -> Balancer:
        """The balancer of `order.key`, made if it is not there; raises Refused when its name is taken."""
        balancer = _existing(self.balancers, order)
        if balancer is None:
            balancer = Balancer(order, self._new_id("b"), self._addresses.take(), lambda: [*self.machines.values()])
            self.balancers[balancer.id] = balancer
            try:
                await balancer.open()
            except OSError:
                self.delete_balancer(balancer)
                raise
        return balancer

    def delete_machine(self, machine: Machine) -> None:
        machine.switch_off()
        del self.machines[machine.id]
        self.faults.forget(machine.id)
        self._addresses.give_back(machine.address)
        self._forget_empty_domains()
        self.changes.announce()

    def delete_balancer(self, balancer: Balancer) -> None:
        balancer.close()
        del self.balancers[balancer.id]
        self._addresses.give_back(balancer.address)

    def close(self) -> None:
        """Ends everything."""
        for machine in [*self.machines.values()]:
            self.delete_machine(machine)
        for balancer in [*self.balancers.values()]:
            self.delete_balancer(balancer)
        self._addresses.close()

    # What machines see of it.

    def count(self, method: str) -> None:
        self.api_calls[method] += 1

    def domain(self, config: MachineConfig) -> Domain:
        name = identity(config)
        return self._domains.setdefault(name, Domain(name, self.random))

    def domains(self) -> list[Domain]:
        return [self._domains[name] for name in sorted(self._domains)]

    def signer(self, config: MachineConfig) -> Authority | None:
        """The CA of a control plane behind the endpoint of `config` whose trustd knows the token and the CA."""
        for machine in self._control_planes_at(config.endpoint_host):
            theirs = machine.active
            if (
                theirs is not None
                and theirs.machine.get("token") == config.machine.get("token")
                and theirs.get("machine", "ca", "crt") == config.get("machine", "ca", "crt")
            ):
                return load_authority(theirs.get("machine", "ca", "crt"), theirs.get("machine", "ca", "key"))
        return None

    def peers(self, config: MachineConfig) -> Iterable[Machine]:
        name = identity(config)
        return [
            machine
            for machine in self.machines.values()
            if machine.up and machine.active is not None and identity(machine.active) == name
        ]

    def _control_planes_at(self, host: str) -> list[Machine]:
        up = [machine for machine in self.machines.values() if machine.up and machine.is_control_plane]
        groups = {balancer.order.group for balancer in self.balancers.values() if balancer.address == host}
        return [machine for machine in up if machine.address == host or machine.order.group in groups]

    def _new_id(self, letter: str) -> str:
        return f"{letter}-{self.random.getrandbits(48):012x}"

    def _forget_empty_domains(self) -> None:
        held = {
            identity(machine.disk.config) for machine in self.machines.values() if machine.disk.config is not None
        }
        self._domains = {name: domain for name, domain in self._domains.items() if name in held}


def identity(config: MachineConfig) -> str:
    """A short name for who finds whom: a digest of cluster id, discovery secret and Talos CA."""
    parts = (config.get("cluster", "id"), config.get("cluster", "secret"), config.get("machine", "ca", "crt"))
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()[:12]


def _existing(things: dict[str, Thing], order: Order | BalancerOrder) -> Thing | None:
    for thing in things.values():
        if thing.order.key == order.key and thing.order.lineage == order.lineage:
            return thing
        if (thing.order.group, thing.order.name) == (order.group, order.name):
            raise Refused("conflict", f"{order.group}/{order.name} exists already and belongs to somebody else")
    return None
