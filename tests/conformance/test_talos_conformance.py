"""The kinds of Talos keep the rules of the house, as far as rules about objects fit what machines are told.

`talos.config` is tried on a cluster in memory. `talos.secrets` has no remote, `talos.schematic` none that
forgets, and `talos.bootstrap` is an event that
is observed and never taken back: their promises have tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from attrs import define, field
from fakes.talos_cluster import FakeCluster, documents, host_of

from provisioner.conformance.back_end import BackEnd, Fault
from provisioner.conformance.kind_suite import KindSuite, Sample
from provisioner.conformance.provider_suite import ProviderSuite
from provisioner.conformance.rules import deviates
from provisioner.sdk import OperatorNeeded, Provider
from provisioner.talos.api.access import Configured, Disk, Maintenance, Silent, Wipe
from provisioner.talos.api.errors import NoAnswer
from provisioner.talos.provider import provider as talos

NODE = "worker-1"


@define
class OneMachine(FakeCluster):
    """A machine in maintenance, and the faults that its next requests meet."""

    looked: int = 0
    faults: list[Fault] = field(factory=list)
    text: str = ""

    def look(self, hosts: Any, *, configs: bool = True, services: bool = True) -> Any:
        self.looked += 1
        return super().look(hosts, configs=configs, services=services)

    def apply(self, host: str, text: str, *, maintenance: bool) -> Any:
        self._meet(host, "timeout", "denied")
        self.text = text
        applied = super().apply(host, text, maintenance=maintenance)
        self._meet(host, "lost")
        return applied

    def reset(self, host: str, *, graceful: bool, reboot: bool, wipe: Wipe = Wipe()) -> None:
        self._meet(host, "timeout", "denied")
        super().reset(host, graceful=graceful, reboot=reboot, wipe=wipe)
        self._meet(host, "lost")

    def _meet(self, host: str, *which: Fault) -> None:
        if self.faults and self.faults[0] in which:
            fault = self.faults.pop(0)
            if fault == "denied":
                raise OperatorNeeded("the machine denies the call", remedy="use the cluster's own credentials")
            raise NoAnswer(host, "no answer in time")


@define
class OneMachineRemote(BackEnd):
    """What the machine does in its own time: it installs itself, and comes back from a reset in maintenance."""

    cluster: OneMachine

    def existing(self) -> frozenset[str]:
        return frozenset(
            node
            for node, host in self.cluster.nodes.items()
            if not isinstance(self.cluster.machines[host], Maintenance) or self._installs(host)
        )

    def requests(self) -> int:
        return self.cluster.looked + self.writes()

    def writes(self) -> int:
        return len(self.cluster.asked)

    def lose(self, id_: str) -> None:
        self.cluster.machines[self.cluster.nodes[id_]] = Maintenance("maintenance")

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        if verb == "read":
            return False  # machines are looked at together; one that does not answer is silent
        self.cluster.faults.append(fault)
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        before = dict(self.cluster.machines)
        self.cluster.machines = dict.fromkeys(before, Silent("no answer in time"))
        yield
        self.cluster.machines = before

    def pass_time(self, seconds: float) -> None:
        for host, machine in self.cluster.machines.items():
            if self._installs(host):
                text = self.cluster.text
                self.cluster.machines[host] = Configured("running", True, "", "boot-1", text, text)
            elif isinstance(machine, Configured) and machine.stage == "resetting":
                self.cluster.machines[host] = Maintenance("maintenance")

    def _installs(self, host: str) -> bool:
        return self.cluster.machines[host] == Maintenance("installing")


class TestTalos(ProviderSuite, KindSuite):
    """The provider and `talos.config`."""

    provider: ClassVar[Provider] = talos
    heavy = ("grpclib", "google", "cryptography", "httpx", "pyrage", "cel")
    samples: ClassVar[Mapping[str, Sample]] = {
        f"talos.config/{NODE}": Sample(
            {
                "node": NODE,
                "role": "worker",
                "machine": f"id-{NODE}",
                "host": host_of(NODE),
                "delivery": "api",
                "documents": documents(NODE, "worker"),
            },
            changed={
                "documents": documents(NODE, "worker", sysctls={"vm.max_map_count": "300000"}),
                "wipe": ("/dev/sdb",),
            },
        ),
    }
    cannot: ClassVar[Mapping[str, str]] = {
        "credentials": "they are the cluster's own secrets, which the core hands over once they are made",
        "throttled": "machines have no such answer",
        "quota": "machines have no quotas",
        "conflict": "a machine that is busy is looked at again",
        "talos.schematic": "a factory never loses one and never takes one back",
        "talos.secrets": "it has no remote: what is on record is the truth",
        "talos.bootstrap": "it is observed, and nothing takes it back but wiping the machines",
        "talos.health": "its conditions have tests of their own",
        "talos.quorum": "what it counts has tests of its own",
        "talos.config.host": "another address of the same machine is nothing to do",
    }

    @pytest.fixture
    def cloud(self) -> OneMachineRemote:
        nodes, machines = {NODE: host_of(NODE)}, {host_of(NODE): Maintenance("maintenance")}
        hardware = {host_of(NODE): (Disk("/dev/sdb"),)}
        return OneMachineRemote(OneMachine(nodes=nodes, machines=machines, hardware=hardware))  # type: ignore[arg-type]

    @pytest.fixture
    def connect(self, cloud: OneMachineRemote) -> Callable[[], FakeCluster]:
        return lambda: cloud.cluster

    @deviates("K2", reason="a machine is ours if it trusts our authority, not by a key; the tests before sim show it")
    def test_k2_what_belongs_to_others_is_never_taken(self) -> None: ...

    @deviates("K5", reason="a machine is ours if it trusts our authority, not by a key; the tests before sim show it")
    def test_k5_what_belongs_to_others_survives(self) -> None: ...

    @deviates("K9", reason="a machine that was wiped is given its configuration again, which is what is wanted")
    def test_k9_what_is_gone_is_told(self) -> None: ...
