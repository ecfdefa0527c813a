"""The simulator keeps the rules of the house, before a real daemon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from attrs import asdict, frozen
from prov_sim import provider as sim_provider
from prov_sim.control import Control
from prov_sim.kinds.machine import MachineProps

from provisioner.conformance.back_end import BackEnd, Fault
from provisioner.conformance.kind_suite import KindSuite, Sample
from provisioner.conformance.provider_suite import ProviderSuite, Shape
from provisioner.sdk import Secret, Value, reveal

_FAULTS = {"throttled": "throttled", "denied": "denied", "timeout": "error", "lost": "lost"}
_WRITES = (
    *(f"{verb}_machine" for verb in ("create", "adopt", "update", "delete")),
    *(f"{verb}_balancer" for verb in ("create", "adopt", "delete")),
)


@frozen
class SimRemote(BackEnd):
    """A daemon; what it is asked by the tests themselves is not counted."""

    sim: Any

    def existing(self) -> frozenset[str]:
        world = self.sim.world()
        return frozenset(item["id"] for item in (*world["machines"], *world["balancers"]))

    def requests(self) -> int:
        return sum(self.sim.world()["calls"]["control"].values())

    def writes(self) -> int:
        return sum(count for call, count in self.sim.world()["calls"]["control"].items() if call in _WRITES)

    def lose(self, id_: str) -> None:
        world = self.sim.world()
        for kind in ("machine", "balancer"):
            for item in world[f"{kind}s"]:
                if item["id"] == id_:
                    self.sim.control.call(f"delete_{kind}", key=item["key"], lineage=item["lineage"])

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        if (kind, verb) == ("sim.balancer", "update"):
            return False
        call = "list" if verb == "read" else f"{verb}_{kind.partition('.')[2]}"
        self.sim.control.call("fail", call=call, kind=_FAULTS[fault])
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        self.sim.control.call("fail", call="list", kind="lost")
        yield

    def by_hand(self, kind: str, props: Mapping[str, Value]) -> str:
        call = f"create_{kind.partition('.')[2]}"
        order = dict(props)
        if kind == "sim.machine":
            order = asdict(MachineProps(**props))
            order["user_data"] = reveal(order["user_data"]) or ""
            del order["power"], order["alive"]
        made = self.sim.control.call(call, key=f"by hand: {order['name']}", lineage="", **order)
        return str(made["id"])

    def shown(self) -> str:
        return json.dumps(self.sim.world())


class TestSim(ProviderSuite, KindSuite):
    """The provider and its kinds."""

    provider = sim_provider
    shape = Shape(size="small")
    cannot: ClassVar[Mapping[str, str]] = {
        "credentials": "a daemon of one's own needs none",
        "quota": "the simulator has room for as many machines as memory holds",
        "conflict": "objects of the simulator are never busy with something else",
    }
    samples: ClassVar[Mapping[str, Sample]] = {
        "sim.machine/one": Sample(
            {
                "name": "one",
                "group": "demo",
                "role": "worker",
                "cpus": 2,
                "memory_mib": 2048,
                "zone": "a",
                "image": "v1.13.9",
                "user_data": Secret("planted-user-data"),
                "time_scale": 0.0,
            },
            changed={"power": "off"},
        ),
        "sim.balancer/api": Sample({"name": "api", "group": "demo"}),
    }

    @pytest.fixture
    def cloud(self, sim: Any) -> SimRemote:
        return SimRemote(sim)

    @pytest.fixture
    def connect(self, sim: Any) -> Callable[[], Control]:
        return lambda: Control(sim.control.place)
