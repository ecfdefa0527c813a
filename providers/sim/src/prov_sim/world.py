"""Everything a daemon simulates: machines, balancers, and the clusters that form among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

from prov_sim.addresses import Addresses
from prov_sim.balancer import Balancer, BalancerOrder
from prov_sim.changes import CONTROL_PLANES, Changes
from prov_sim.faults import FaultBook
from prov_sim.holdings import Holdings
from prov_sim.machine.certificates import Authority, Issued, issue, load_authority
from prov_sim.machine.credentials import trusted
from prov_sim.machine.documents import MachineConfig
from prov_sim.machine.etcd import Domain
from prov_sim.machine.machine import Machine
from prov_sim.machine.order import MODES, Order
from prov_sim.machine.release import Release

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
        self.machines: Holdings[Machine] = Holdings()
        self.balancers: Holdings[Balancer] = Holdings()
        self.control_calls: Counter[str] = Counter()
        self.api_calls: Counter[str] = Counter()
        self.erasures: Counter[tuple[str, str, str]] = Counter()
        self.taken_full: list[tuple[str, str, str]] = []
        self._addresses = Addresses()
        self._domains: dict[str, Domain] = {}
        self._control_planes: dict[str, Machine] = {}

    @property
    def empty(self) -> bool:
        return not self.machines and not self.balancers

    # Made and removed by control calls.

    def create_machine(self, order: Order) -> Machine:
        """The machine of `order.key`, made if it is not there; raises Refused when its name is taken."""
        try:
            Release.of(order.image)
        except ValueError as err:
            raise Refused("invalid", str(err)) from None
        if order.platform not in MODES:
            raise Refused("invalid", f"no platform {order.platform!r}; there are {', '.join(MODES)}")
        machine = _existing(self.machines, order)
        if machine is None:
            machine = Machine(order, self._new_id("m"), self._addresses.take(), self)
            self.machines.add(machine)
            machine.switch_on(first=True)
        return machine

    async def create_balancer(self, order: BalancerOrder) -> Balancer:
        """The balancer of `order.key`, made if it is not there; raises Refused when its name is taken."""
        balancer = _existing(self.balancers, order)
        if balancer is None:
            balancer = Balancer(order, self._new_id("b"), self._addresses.take(), self._running_control_planes)
            self.balancers.add(balancer)
            try:
                await balancer.open()
            except OSError:
                self.delete_balancer(balancer)
                raise
            self.changes.announce(CONTROL_PLANES)  # there is a new way to them
        return balancer

    def delete_machine(self, machine: Machine) -> None:
        machine.switch_off()
        self.taken_full += [(machine.order.name, machine.id, disk) for disk in sorted(machine.disk.filled)]
        self.machines.remove(machine)
        self.faults.forget(machine.id)
        self._addresses.give_back(machine.address)
        self._forget_empty_domains()

    def delete_balancer(self, balancer: Balancer) -> None:
        balancer.close()
        self.balancers.remove(balancer)
        self._addresses.give_back(balancer.address)

    def close(self) -> None:
        """Ends everything."""
        for machine in [*self.machines.values()]:
            self.delete_machine(machine)
        for balancer in [*self.balancers.values()]:
            self.delete_balancer(balancer)
        self._addresses.close()

    # What machines see of it.

    def runs(self, machine: Machine) -> None:
        if machine.is_control_plane:
            self._control_planes[machine.id] = machine
        else:
            self._control_planes.pop(machine.id, None)

    def erased(self, machine: Machine, disk: str) -> None:
        self.erasures[machine.order.name, machine.id, disk] += 1

    def count(self, method: str) -> None:
        self.api_calls[method] += 1

    def domain(self, config: MachineConfig) -> Domain:
        domain = self._domains.get(config.domain_name)
        if domain is None:
            domain = self._domains[config.domain_name] = Domain(config.domain_name, self.random)
        return domain

    def domains(self) -> list[Domain]:
        return [self._domains[name] for name in sorted(self._domains)]

    def signs(self, config: MachineConfig, names: Sequence[str]) -> bool:
        return self._signer(config) is not None

    def certificate(self, config: MachineConfig, names: Sequence[str]) -> Issued | None:
        authority = self._signer(config)
        return issue(authority, names, clients=trusted(config)) if authority is not None else None

    def _signer(self, config: MachineConfig) -> Authority | None:
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
        return [
            machine
            for machine in self.machines.values()
            if machine.up and machine.active is not None and machine.active.domain_name == config.domain_name
        ]

    def _control_planes_at(self, host: str) -> list[Machine]:
        up = [machine for machine in self._control_planes.values() if machine.up]
        groups = {balancer.order.group for balancer in self.balancers.values() if balancer.address == host}
        return [machine for machine in up if machine.address == host or machine.order.group in groups]

    def _running_control_planes(self) -> Sequence[Machine]:
        return [*self._control_planes.values()]

    def _new_id(self, letter: str) -> str:
        return f"{letter}-{self.random.getrandbits(48):012x}"

    def _forget_empty_domains(self) -> None:
        for name in [name for name in self._domains if not any(self._holds(m, name) for m in self.machines.values())]:
            del self._domains[name]

    def _holds(self, machine: Machine, domain: str) -> bool:
        return machine.disk.config is not None and machine.disk.config.domain_name == domain


def _existing(things: Holdings[Thing], order: Order | BalancerOrder) -> Thing | None:
    thing = things.owned(order.lineage, order.key)
    if thing is None and things.named(order.group, order.name) is not None:
        raise Refused("conflict", f"{order.group}/{order.name} exists already and belongs to somebody else")
    return thing
