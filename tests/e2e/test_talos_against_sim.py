"""The Talos provider against simulated machines: real TLS, real gRPC, real HTTPS, no delays."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import asdict, define, evolve, field
from prov_sim import provider as sim
from prov_sim.control import Control

from provisioner.sdk import (
    Absent,
    Address,
    Done,
    EndpointWish,
    Fatal,
    Job,
    Node,
    OperatorNeeded,
    Pending,
    Ref,
    Resource,
    Retry,
    Schema,
    Seen,
    Slice,
    TalosWish,
    Topology,
    Unreachable,
    dig,
    evaluate,
    freeze,
    leaves,
    reveal,
)
from provisioner.talos import design as talos_design
from provisioner.talos.api.access import Configured, Foreign, Maintenance, Silent
from provisioner.talos.handover import kubeconfig_text, node_status, talosconfig_text
from provisioner.talos.pki.bundle import generate, to_tree
from provisioner.talos.provider import Settings
from provisioner.talos.provider import provider as talos
from provisioner.talos.versions import Contract

KINDS = {**talos.kinds, **sim.kinds}
FUNCTIONS = {**talos.functions, "concat": lambda *parts: "".join(map(str, parts))}
POLL_S = 0.02
PATIENCE_S = 60.0


class RealContext:
    """The world as it is; what is said is kept."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def now(self) -> datetime:
        return datetime.now(UTC)

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def cancelled(self) -> bool:
        return False


@define
class Run:
    """A very small engine: makes resources one after another, and keeps what it made."""

    control: Control
    bundle: Mapping[str, Any]
    delivery: str
    cluster: str = "demo"
    control_planes: int = 3
    workers: int = 1
    sysctls: dict[str, str] = field(factory=dict)
    env: dict[str, str] = field(factory=dict)
    outputs: dict[Address, Mapping[str, Any]] = field(factory=dict)
    applied: dict[Address, Any] = field(factory=dict)
    ctx: RealContext = field(factory=RealContext)

    def topology(self) -> Topology:
        patch: dict[str, Any] = {"machine": {"sysctls": self.sysctls}} | {}
        if self.env:
            patch["machine"]["env"] = self.env
        patches = ((freeze(patch),),) if self.sysctls or self.env else ()
        names = [(f"control-{n + 1}", "controlplane") for n in range(self.control_planes)]
        names += [(f"worker-{n + 1}", "worker") for n in range(self.workers)]
        nodes = tuple(Node(name, role, role, "sim", patches=patches) for name, role in names)  # type: ignore[arg-type]
        return Topology(self.cluster, nodes, EndpointWish(), TalosWish("v1.13.9", "1.13", "v1.36.3"))

    def resources(self) -> tuple[Resource, ...]:
        """Everything, in an order in which it can be made."""
        topology, part = self.topology(), self._slice()
        endpoint = sim.endpoint(part)
        assert endpoint is not None
        boot = talos_design.Boot(topology, endpoint.host)
        machines = sim.design(part, boot)
        inside, _ = talos_design.design(topology, machines.machines, endpoint.host, "talos")
        secrets, *rest = inside
        return (secrets, *endpoint.resources, *machines.resources, *rest)

    def _slice(self) -> Slice:
        topology = self.topology()
        return Slice("sim", {"time_scale": 0.0, "delivery": self.delivery}, topology, topology.nodes)

    def client(self, address: Address) -> Any:
        if address.provider_type == "sim":
            return self.control
        topology, part = self.topology(), self._slice()
        endpoint = sim.endpoint(part)
        assert endpoint is not None
        machines = sim.design(part, talos_design.Boot(topology, endpoint.host)).machines
        wanted: Any = talos_design.settings(topology, machines, endpoint.host)
        known = {name: self._known(value) for name, value in wanted.items()}
        return talos.connect(Settings(**{name: value for name, value in known.items() if value is not None}))

    def _known(self, value: Any) -> Any:
        """What is known of a setting; None or left out where nothing is."""
        if isinstance(value, dict):
            found = {key: self._known(item) for key, item in value.items()}
            return {key: item for key, item in found.items() if item is not None}
        if isinstance(value, Ref):
            return self.lookup(value) if value.to in self.outputs else None
        return value

    @property
    def talos(self) -> Any:
        return self.client(talos_design.HEALTH)

    def lookup(self, ref: Ref) -> Any:
        return dig(self.outputs[ref.to], ref.output)

    def job(self, resource: Resource, **given: Any) -> Job[Any, Any]:
        schema = Schema.of(KINDS[resource.address.kind].props)
        props = schema.build(schema.normal(evaluate(resource.props, self.lookup, FUNCTIONS)))  # type: ignore[arg-type]
        return Job(f"key-{resource.address}", 1, resource.address, wanted=props, lineage="l", **given)

    def make(self, resource: Resource) -> None:
        if resource.address == talos_design.SECRETS:
            self.outputs[resource.address] = {"id": "x", **self.bundle}
            return
        kind: Any = KINDS[resource.address.kind]
        job = self.job(resource)
        verb = kind.check if hasattr(kind, "check") else kind.create
        outputs = self.finish(verb, job)
        self.outputs[resource.address] = asdict(outputs, recurse=False)
        self.applied[resource.address] = job.wanted

    def make_all(self) -> None:
        for resource in self.resources():
            if resource.address not in self.applied:
                self.make(resource)

    def resource(self, address: Address) -> Resource:
        return next(each for each in self.resources() if each.address == address)

    def update(self, address: Address) -> list[Pending]:
        """Changes a resource in place; gives the answers on the way."""
        answers: list[Pending] = []
        job = self.job(self.resource(address), applied=self.applied[address])
        self.finish(KINDS[address.kind].update, job, answers)  # type: ignore[union-attr]
        self.applied[address] = job.wanted
        return answers

    def remove(self, address: Address, how: str) -> None:
        job: Job[Any, Any] = Job(
            f"key-{address}", 1, address, applied=self.applied[address], how=how, lineage="l", id=None
        )
        self.finish(KINDS[address.kind].delete, job)  # type: ignore[union-attr]

    def read(self, *addresses: Address) -> list[Any]:
        jobs = [Job(str(each), 1, each, applied=self.applied.get(each), lineage="l") for each in addresses]
        found = KINDS[addresses[0].kind].read(self.client(addresses[0]), jobs, self.ctx)  # type: ignore[union-attr]
        return [found[str(each)] for each in addresses]

    def finish(self, verb: Callable[..., Any], job: Job[Any, Any], answers: list[Pending] | None = None) -> Any:
        """Calls until done. Every call gets a fresh client, as if the process had died in between."""
        deadline, note = time.monotonic() + PATIENCE_S, ""
        while time.monotonic() < deadline:
            try:
                answer = verb(self.client(job.address), job, self.ctx)
            except Retry as err:
                note = f"{err.summary} ({err.detail})"
            else:
                if isinstance(answer, Done):
                    return answer.outputs
                note = answer.note
                job = evolve(job, id=answer.id or job.id, phase=answer.phase, memo=answer.memo)
                if answers is not None:
                    answers.append(answer)
            time.sleep(POLL_S)  # the daemon is another process
        raise AssertionError(f"{job.address} is not done: {note}")

    def world(self) -> dict[str, Any]:
        return self.control.ask("show")

    def machine(self, name: str) -> dict[str, Any]:
        return next(each for each in self.world()["machines"] if each["name"] == name)

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits for something of the simulated world that nobody was asked for."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, "the simulated world does not get there"
            time.sleep(POLL_S)


def config(name: str) -> Address:
    return Address("talos.config", name)


def host(run: Run, name: str) -> str:
    return str(run.outputs[Address("sim.machine", name)]["host"])


@pytest.fixture(scope="session")
def bundle() -> dict[str, Any]:
    contract = Contract.parse("1.13")
    return dict(to_tree(generate(contract, now=datetime.now(UTC), random=random.Random(7).randbytes)))


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    client = Control.named("test", {"PROV_SIM_DIR": str(tmp_path / "sim")})
    yield client
    client.ask_if_running("stop")


@pytest.fixture(params=["user_data", "api"])
def run(request: pytest.FixtureRequest, control: Control, bundle: dict[str, Any]) -> Run:
    """A cluster to be, with either way of delivery."""
    return Run(control, bundle, request.param)


@pytest.fixture
def cluster(control: Control, bundle: dict[str, Any]) -> Run:
    """A healthy cluster of three control planes and a worker."""
    made = Run(control, bundle, "user_data")
    made.make_all()
    return made


def test_a_look_brings_what_was_asked_for_and_asks_no_more(cluster: Run):
    """Hundreds of machines are looked at: health does without configurations, a comparison without services."""
    address = host(cluster, "control-1")
    whole = cluster.talos.look([address])[address]
    calls = _calls(cluster)
    health = cluster.talos.look([address], configs=False)[address]
    content = cluster.talos.look([address], services=False)[address]

    assert health == evolve(whole, boot_id="", active="", persistent=None)
    assert content == evolve(whole, services={}, members=None, version="")
    asked = {name: count - calls.get(name, 0) for name, count in _calls(cluster).items()}
    assert {name: count for name, count in asked.items() if count} == {
        "Get": 1 + 4,
        "ServiceList": 1,
        "Version": 1,
        "EtcdMemberList": 1,
    }


def test_a_control_plane_may_be_away_while_etcd_can_do_without_it_and_is_waited_for(cluster: Run):
    """Asked of machines as they are: one is switched off, which takes the others their leave, and comes back."""

    def missing(node: str, *, back: bool = False) -> str:
        wanted = talos.kinds["talos.quorum"].props(node, back)
        job: Job[Any, Any] = Job(key="k", generation=1, address=Address("talos.quorum", node), wanted=wanted)
        answer = KINDS["talos.quorum"].check(cluster.talos, job, cluster.ctx)
        return answer.note if isinstance(answer, Pending) else ""

    spared = [missing(f"control-{n}") for n in (1, 2, 3)]
    cluster.control.ask("power", machine="control-2", action="off")
    away = [missing("control-1"), missing("control-2"), missing("control-2", back=True)]
    cluster.control.ask("power", machine="control-2", action="on")
    cluster.until(lambda: missing("control-2", back=True) == "")

    few = "of 3 etcd members 1 are healthy, and 2 are needed for a quorum"
    assert spared == ["", "", ""]
    assert away == [f"control-1 stays as it is: {few}", "", "etcd's member control-2 is not back yet"]
    assert missing("control-1") == ""


def _calls(run: Run) -> dict[str, int]:
    """How often each method of the machine API was called."""
    return dict(run.world()["calls"]["api"])


def test_from_nothing_to_a_healthy_cluster(run: Run):
    run.make_all()
    world = run.world()
    (domain,) = world["clusters"]
    assert domain["bootstraps"] == 1
    assert sorted(each["name"] for each in domain["etcd"][0]["members"]) == ["control-1", "control-2", "control-3"]
    assert {"running"} == {each["stage"] for each in world["machines"]}
    table = node_status(run.talos)
    assert [(each.name, each.stage, each.ready, each.etcd, each.version) for each in table] == [
        ("control-1", "running", True, "member", "v1.13.9"),
        ("control-2", "running", True, "member", "v1.13.9"),
        ("control-3", "running", True, "member", "v1.13.9"),
        ("worker-1", "running", True, "", "v1.13.9"),
    ]
    assert {"v1.36.3"} == {each.kubernetes for each in table}


def test_what_is_read_is_what_was_made(run: Run):
    run.make_all()
    names = ("control-1", "worker-1")
    for name, reading in zip(names, run.read(*map(config, names)), strict=True):
        assert isinstance(reading, Seen)
        expected = dict(leaves(run.applied[config(name)].documents))
        assert expected == dict(leaves(reading.props["documents"]))


def test_a_lost_answer_to_every_change_is_survived(run: Run):
    run.make(run.resources()[0])
    run.control.call("list")
    for method in ("ApplyConfiguration", "Bootstrap"):
        run.control.ask("fail", call=method, kind="lost", times=2)
    run.make_all()
    assert run.world()["clusters"][0]["bootstraps"] == 1


class TestLooking:
    def test_maintenance_ours_foreign_and_silent_are_told_apart(self, control: Control, bundle: dict[str, Any]):
        run = Run(control, bundle, "api", control_planes=2, workers=0)
        for resource in run.resources():
            if resource.address.provider_type == "sim" or resource.address == talos_design.SECRETS:
                run.make(resource)
        first, second = host(run, "control-1"), host(run, "control-2")
        run.until(lambda: run.machine("control-2")["stage"] == "maintenance")
        run.make(run.resource(config("control-1")))
        assert isinstance(run.talos.look([first])[first], Configured)
        assert run.talos.look([second])[second] == Maintenance("maintenance")
        run.control.ask("power", machine="control-2", action="off")
        assert isinstance(run.talos.look([second])[second], Silent)
        other = to_tree(generate(Contract.parse("1.13"), now=datetime.now(UTC), random=random.Random(8).randbytes))
        stranger = talos.connect(Settings(secrets=other, nodes={"x": first}))
        assert isinstance(stranger.look([first])[first], Foreign)

    def test_another_clusters_machine_is_not_taken(self, cluster: Run):
        other = to_tree(generate(Contract.parse("1.13"), now=datetime.now(UTC), random=random.Random(8).randbytes))
        thief = Run(cluster.control, other, "user_data", outputs=dict(cluster.outputs))
        thief.outputs[talos_design.SECRETS] = {"id": "x", **other}
        with pytest.raises(OperatorNeeded, match="belongs to somebody else"):
            thief.make(thief.resource(config("control-1")))

    def test_a_rejected_configuration_is_told_with_all_that_is_wrong(self, control: Control, bundle: dict[str, Any]):
        run = Run(control, bundle, "api", control_planes=1, workers=0)
        for resource in run.resources()[:3]:
            run.make(resource)
        broken = evolve(run.resource(config("control-1")))
        document = {**broken.props["documents"][0], "nonsense": 1}  # type: ignore[index]
        broken = evolve(broken, props={**broken.props, "documents": (document,)})
        with pytest.raises(Fatal, match="rejects its configuration") as caught:
            run.make(broken)
        assert "nonsense" in caught.value.detail


class TestChange:
    def test_a_live_change_reboots_nothing(self, cluster: Run):
        before = cluster.machine("control-2")["boot_id"]
        cluster.sysctls = {"net.core.somaxconn": "65535"}
        cluster.update(config("control-2"))
        assert before == cluster.machine("control-2")["boot_id"]
        (reading,) = cluster.read(config("control-2"))
        assert reading.props["documents"][0]["machine"]["sysctls"] == cluster.sysctls

    def test_a_rebooting_change_is_done_when_the_node_is_back(self, cluster: Run):
        before = cluster.machine("control-2")["boot_id"]
        cluster.env = {"A": "b"}
        answers = cluster.update(config("control-2"))
        assert "reboots for its configuration" in [answer.note for answer in answers]
        after = cluster.machine("control-2")
        assert (after["boot_id"] != before, after["stage"], after["ready"]) == (True, "running", True)

    def test_a_rebooting_change_whose_answer_is_lost(self, cluster: Run):
        cluster.env = {"A": "b"}
        cluster.control.ask("fail", call="ApplyConfiguration", kind="lost", times=1)
        cluster.update(config("worker-1"))
        (reading,) = cluster.read(config("worker-1"))
        assert reveal(reading.props["documents"][0]["machine"]["env"]) == {"A": "b"}

    def test_nothing_to_change_writes_nothing(self, cluster: Run):
        before = cluster.world()["calls"]["api"]["ApplyConfiguration"] if cluster.delivery == "api" else 0
        assert cluster.update(config("control-1")) == []
        assert before == cluster.world()["calls"]["api"].get("ApplyConfiguration", 0)

    def test_a_change_by_hand_is_seen(self, cluster: Run):
        edit = {"path": "machine.sysctls", "value": {"by": "hand"}}
        cluster.control.ask("edit", machine="worker-1", **edit)
        (reading,) = cluster.read(config("worker-1"))
        assert reading.props["documents"][0]["machine"]["sysctls"] == {"by": "hand"}


class TestRemoval:
    def gone(self, run: Run, name: str) -> None:
        """The file no longer names the node, which is the last of its role."""
        if name.startswith("worker"):
            run.workers -= 1
        else:
            run.control_planes -= 1

    def test_a_control_plane_leaves_and_the_rest_is_healthy(self, cluster: Run):
        self.gone(cluster, "control-3")
        cluster.remove(config("control-3"), "leave")
        (etcd,) = cluster.world()["clusters"][0]["etcd"]
        assert sorted(each["name"] for each in etcd["members"]) == ["control-1", "control-2"]
        assert "control-3" not in {each["name"] for each in etcd["nodes"]}
        cluster.make(cluster.resource(talos_design.HEALTH))
        cluster.remove(config("control-3"), "leave")

    def test_a_worker_leaves(self, cluster: Run):
        self.gone(cluster, "worker-1")
        cluster.control.ask("fail", call="Reset", kind="lost", times=1)
        cluster.remove(config("worker-1"), "leave")
        assert cluster.machine("worker-1")["power"] == "off"
        cluster.make(cluster.resource(talos_design.HEALTH))

    def test_a_dead_control_plane_is_removed_without_it(self, cluster: Run):
        cluster.control.ask("power", machine="control-3", action="die")
        (reading,) = cluster.read(config("control-3"))
        assert isinstance(reading, Unreachable)
        self.gone(cluster, "control-3")
        cluster.remove(config("control-3"), "remove-member")
        cluster.make(cluster.resource(talos_design.HEALTH))

    def test_quorum_is_not_given_up(self, cluster: Run):
        cluster.control.ask("power", machine="control-2", action="die")
        self.gone(cluster, "control-3")
        with pytest.raises(OperatorNeeded, match="quorum"):
            cluster.remove(config("control-3"), "leave")
        assert cluster.machine("control-3")["stage"] == "running"

    def test_teardown_takes_all_machines_the_dead_ones_too(self, cluster: Run):
        cluster.control.ask("power", machine="worker-1", action="die")
        for name in ("control-1", "control-2", "control-3", "worker-1"):
            cluster.remove(config(name), "teardown")
        assert {"off", "dead"} == {each["power"] for each in cluster.world()["machines"]}
        assert len(cluster.ctx.said) == 1
        assert cluster.ctx.said[0].startswith("worker-1 does not answer")

    def test_a_machine_that_is_reset_reads_as_absent(self, control: Control, bundle: dict[str, Any]):
        run = Run(control, bundle, "api")
        run.make_all()
        run.workers = 0
        run.remove(config("worker-1"), "leave")
        run.until(lambda: run.machine("worker-1")["stage"] == "maintenance")
        assert run.read(config("worker-1")) == [Absent()]


class TestBootstrap:
    def test_seen_as_long_as_one_control_plane_shows_it(self, cluster: Run):
        cluster.control.ask("power", machine="control-1", action="die")
        assert isinstance(cluster.read(talos_design.BOOTSTRAP)[0], Seen)
        for name in ("control-2", "control-3"):
            cluster.control.ask("power", machine=name, action="off")
        assert isinstance(cluster.read(talos_design.BOOTSTRAP)[0], Unreachable)

    def test_absent_before_and_no_second_time_after(self, control: Control, bundle: dict[str, Any]):
        run = Run(control, bundle, "user_data")
        assert run.read(talos_design.BOOTSTRAP) == [Absent()]
        run.make_all()
        run.make(run.resource(talos_design.BOOTSTRAP))
        assert run.world()["calls"]["api"]["Bootstrap"] == 1


class TestHandover:
    def test_the_official_client_lists_the_nodes_with_our_kubeconfig(self, cluster: Run):
        from kubernetes import client
        from kubernetes import config as loader

        endpoint = cluster.outputs[Address("sim.balancer", "api")]["host"]
        text = kubeconfig_text(cluster.bundle, cluster="demo", endpoint=endpoint, now=datetime.now(UTC))
        with loader.new_client_from_config_dict(yaml.safe_load(text)) as api:
            names = {each.metadata.name for each in client.CoreV1Api(api).list_node().items}
        assert names == {"control-1", "control-2", "control-3", "worker-1"}

    def test_the_talosconfig_names_endpoints_and_nodes(self, cluster: Run):
        endpoints = sorted(cluster.talos.control_planes.values())
        text = talosconfig_text(
            cluster.bundle, cluster="demo", endpoints=endpoints, nodes=[endpoints[0]], now=datetime.now(UTC)
        )
        context = yaml.safe_load(text)["contexts"]["demo"]
        assert (context["endpoints"], context["nodes"]) == (endpoints, [endpoints[0]])
