"""A daemon of one's own, and clusters in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from fakes.talos_client import Pair, Secrets, Talos, until
from prov_sim.control import Control
from prov_sim.place import Place

from provisioner.talos.api._wire import machine_pb2


class Sim:
    """A daemon and what a test does with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control = Control(Place(folder / "test.sock"))

    def create(self, name: str, *, group: str = "demo", key: str = "", lineage: str = "L", **more: Any) -> Any:
        order = {
            "role": "worker",
            "cpus": 2,
            "memory_mib": 2048,
            "zone": "",
            "image": "v1.13.9",
            "platform": "nocloud",
            "disk": "/dev/vda",
            "user_data": "",
            "time_scale": 0,
            "seed": 0,
        }
        return self.control.call(
            "create_machine", name=name, group=group, key=key or f"key-{name}", lineage=lineage, **{**order, **more}
        )

    def balancer(self, group: str = "demo", key: str = "key-api", lineage: str = "L") -> Any:
        return self.control.call("create_balancer", name="api", group=group, key=key, lineage=lineage)

    def world(self) -> Any:
        return self.control.call("show")

    def machine(self, name: str) -> Any:
        return next(item for item in self.world()["machines"] if item["name"] == name)

    def wait(self, name: str, **wanted: Any) -> Any:
        """The machine once it is as wanted."""

        def look() -> Any:
            machine = self.machine(name)
            return machine if all(machine[field] == value for field, value in wanted.items()) else None

        return until(look)

    def talos(self, name: str, credentials: Pair | None = None, authority: Pair | None = None) -> Talos:
        return Talos(self.machine(name)["address"], credentials, authority, self.folder)


@frozen
class Cluster:
    """A cluster born from user-data, behind a balancer."""

    sim: Sim
    secrets: Secrets
    host: str

    def add(self, name: str, **more: Any) -> Any:
        kind = "controlplane" if name.startswith("cp") else "worker"
        return self.sim.create(name, role=kind, user_data=self.secrets.config(kind, name, self.host), **more)

    def admin(self, name: str) -> Talos:
        return self.sim.talos(name, self.secrets.client(), self.secrets.os)

    def bootstrap(self, name: str) -> None:
        until(lambda: self.sim.machine(name)["etcd"]["state"] == "Preparing")
        self.admin(name).call("Bootstrap", machine_pb2.BootstrapRequest())

    def make(self, *names: str) -> None:
        """Machines of these names, bootstrapped on the first, all ready."""
        for name in names:
            self.add(name)
        self.bootstrap(names[0])
        for name in names:
            self.sim.wait(name, ready=True)

    def etcds(self) -> Any:
        return [etcd for cluster in self.sim.world()["clusters"] for etcd in cluster["etcd"]]


@pytest.fixture(scope="session")
def shared_sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    """A daemon for all tests of a process; starting one takes longer than most tests."""
    running = Sim(tmp_path_factory.mktemp("sim"))
    yield running
    running.control.stop()


@pytest.fixture
def sim(shared_sim: Sim) -> Iterator[Sim]:
    """A daemon that is empty now and will be emptied."""
    yield shared_sim
    world = shared_sim.world()
    assert world["faults"] == []
    for kind in ("machine", "balancer"):
        for item in world[f"{kind}s"]:
            shared_sim.control.call(f"delete_{kind}", key=item["key"], lineage=item["lineage"])
    left = shared_sim.world()
    assert (left["machines"], left["balancers"], left["clusters"]) == ([], [], [])


@pytest.fixture
def own_sim(tmp_path: Path) -> Iterator[Sim]:
    """A daemon of the test's own, started by its first call."""
    running = Sim(tmp_path)
    yield running
    running.control.stop()


@pytest.fixture
def made_secrets() -> Secrets:
    return Secrets()


@pytest.fixture
def cluster(sim: Sim, made_secrets: Secrets) -> Cluster:
    return Cluster(sim, made_secrets, sim.balancer()["address"])


@pytest.fixture
def own_cluster(own_sim: Sim, made_secrets: Secrets) -> Cluster:
    return Cluster(own_sim, made_secrets, own_sim.balancer()["address"])


@pytest.fixture
def wait_until() -> Callable[[Callable[[], Any]], Any]:
    return until


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """PROV_SIM_DIR for code that finds its daemon by the environment; the default daemon is stopped afterwards."""
    monkeypatch.setenv("PROV_SIM_DIR", str(tmp_path))
    yield tmp_path
    Control.named("default").stop()
