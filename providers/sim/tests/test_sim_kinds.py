"""The kinds and the design, as the engine uses them."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest
from attrs import evolve, frozen
from prov_sim import provider
from prov_sim.kinds.balancer import BalancerKind, BalancerProps
from prov_sim.kinds.machine import READABLE, MachineKind, MachineProps
from prov_sim.kinds.reading import read_all
from prov_sim.settings import SimSettings

from provisioner.sdk import (
    Absent,
    Address,
    Done,
    EndpointWish,
    Fatal,
    FieldChange,
    Infrastructure,
    Job,
    Kind,
    Node,
    OperatorNeeded,
    Pending,
    ProvError,
    Ref,
    Retry,
    Schema,
    Secret,
    Seen,
    Slice,
    TalosWish,
    Topology,
    Unreachable,
)

MACHINE, BALANCER = MachineKind(), BalancerKind()


class Now:
    """A context; these kinds need nothing of it."""

    now = staticmethod(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    say = staticmethod(lambda sentence: None)
    cancelled = staticmethod(lambda: False)


PROPS = MachineProps(name="m", group="demo", role="worker", cpus=2, memory_mib=2048, image="v1.13.9", time_scale=0)


def job(kind="machine", key="K", wanted=None, **more):
    return Job(key, 1, Address(f"sim.{kind}", "m"), wanted=wanted, lineage="L", **more)


def make(sim, wanted=PROPS, key="K", lineage="L", wait_until=None):
    """Creates until done, as the engine does, with a read before each further call."""
    work = evolve(job(key=key, wanted=wanted), lineage=lineage)
    answer = MACHINE.create(sim.control, work, Now())
    while isinstance(answer, Pending):
        seen = MACHINE.read(sim.control, [work], Now())[key]
        work = evolve(work, id=answer.id, phase=answer.phase, memo=answer.memo, seen=seen)
        answer = MACHINE.create(sim.control, work, Now())
    return answer.outputs


def test_a_machine_is_read_as_it_was_made(sim):
    made = make(sim)

    (seen,) = MACHINE.read(sim.control, [job(id=made.id)], Now()).values()

    assert isinstance(seen, Seen)
    assert seen.props == {name: getattr(PROPS, name) for name in (*READABLE, "alive")}
    assert seen.outputs == {"id": made.id, "host": made.host}


def test_reading_many_takes_one_call_and_knows_keys_and_ids(own_sim):
    made = make(own_sim)
    before = own_sim.world()["calls"]["control"].get("list", 0)

    jobs = [job(), job(key="other", id=made.id), job(key="nobody")]
    found = MACHINE.read(own_sim.control, jobs, Now())

    assert [type(found[key]) for key in ("K", "other", "nobody")] == [Seen, Seen, Absent]
    assert own_sim.world()["calls"]["control"]["list"] == before + 1


def test_a_poll_is_told_of_what_it_asks_for_and_of_nothing_else(sim):
    """By key or by id, within the lineage; a call that names nothing is told of everything."""
    first, second = sim.create("m-1"), sim.create("m-2")
    sim.balancer()

    def told(*wanted):
        answer = sim.control.call("list", machines=list(wanted))
        assert answer["balancers"] == []
        return [machine["name"] for machine in answer["machines"]]

    assert told({"key": first["key"], "id": None, "lineage": "L"}) == ["m-1"]
    assert told({"key": "another", "id": second["id"], "lineage": "L"}) == ["m-2"]
    assert told({"key": first["key"], "id": first["id"], "lineage": "another"}) == []
    everything = sim.control.call("list")
    assert (len(everything["machines"]), len(everything["balancers"])) == (2, 1)


def test_a_pending_machine_is_done_when_it_has_power(sim):
    slow = evolve(PROPS, time_scale=1)
    answer = MACHINE.create(sim.control, job(wanted=slow), Now())
    assert (answer.phase, answer.id is not None) == ("booting", True)
    assert len(sim.world()["machines"]) == 1


def test_creating_twice_with_one_key_makes_one_machine(sim):
    assert make(sim) == make(sim)
    assert len(sim.world()["machines"]) == 1


@pytest.mark.parametrize(("key", "lineage"), [("K", "another"), ("another", "L")])
def test_somebody_elses_machine_of_the_name_is_a_conflict(sim, key, lineage):
    make(sim)
    with pytest.raises(Fatal, match="another object of this name") as refused:
        make(sim, key=key, lineage=lineage)
    assert refused.value.remedy
    assert len(sim.world()["machines"]) == 1


def test_deletion_is_quiet_twice_and_spares_others(sim):
    made = make(sim)
    foreign = evolve(job(id=made.id), lineage="another")
    assert MACHINE.delete(sim.control, foreign, Now()) == Done(None)
    assert len(sim.world()["machines"]) == 1

    assert MACHINE.delete(sim.control, job(), Now()) == Done(None)
    assert MACHINE.delete(sim.control, job(), Now()) == Done(None)

    assert sim.world()["machines"] == []


def test_power_is_drift_and_update_switches_it_on(sim):
    make(sim)
    sim.control.call("power", machine="m", action="off")
    assert MACHINE.read(sim.control, [job()], Now())["K"].props["power"] == "off"

    MACHINE.update(sim.control, job(wanted=PROPS), Now())

    assert MACHINE.read(sim.control, [job()], Now())["K"].props["power"] == "on"


def test_a_dead_machine_is_not_alive_and_cannot_be_switched_on(sim):
    make(sim)
    sim.control.call("power", machine="m", action="die")
    assert MACHINE.read(sim.control, [job()], Now())["K"].props["alive"] is False
    with pytest.raises(OperatorNeeded, match="dead") as refused:
        MACHINE.update(sim.control, job(wanted=PROPS), Now())
    assert refused.value.remedy


def test_only_power_changes_in_place():
    changing = [
        name
        for name, item in Schema.of(MachineProps).fields.items()
        if not item.marks.immutable and not item.marks.birth
    ]
    assert changing == ["power"]
    assert MACHINE.consequence([FieldChange(("power",), "off", "on")]) == "switches the machine on"


@pytest.mark.parametrize(
    ("fault", "error"), [("throttled", Retry), ("denied", OperatorNeeded), ("error", Retry), ("lost", Retry)]
)
def test_faults_of_the_cloud_become_errors_of_the_house(sim, fault, error):
    sim.control.call("fail", call="create_machine", kind=fault)
    with pytest.raises(error):
        make(sim)
    make(sim)
    assert len(sim.world()["machines"]) == 1


def test_what_the_simulator_cannot_be_is_refused_before_it_exists(sim):
    with pytest.raises(Fatal) as refused:
        make(sim, evolve(PROPS, image="v1.15.0"))
    assert "v1.15.0" in refused.value.detail
    assert not refused.value.effect


def test_user_data_never_shows(sim):
    secret = "version: v1alpha1 # planted-secret"
    make(sim, evolve(PROPS, user_data=Secret(secret)))
    assert "planted-secret" not in str(sim.world())
    assert "planted-secret" not in sim.control.place.log.read_text()
    assert "planted-secret" not in repr(evolve(PROPS, user_data=Secret(secret)))


def test_without_a_daemon_nothing_exists_and_none_is_started(environment):
    client = provider.connect(SimSettings())
    assert MACHINE.read(client, [job()], Now()) == {"K": Absent()}
    assert MACHINE.delete(client, job(), Now()) == Done(None)
    assert list(environment.iterdir()) == []


class Silent:
    """A client whose daemon does not answer."""

    def ask_if_running(self, verb, **arguments):
        from prov_sim.control import ControlError

        raise ControlError("no-answer", "the daemon is starting or stopping")


def test_a_silent_daemon_is_unreachable_not_absent():
    found = read_all(Silent(), [job()], "machines", lambda item: Seen({}))
    assert found == {"K": Unreachable("the daemon is starting or stopping")}


def test_a_balancer_lives_and_dies(sim):
    work = job("balancer", wanted=BalancerProps(name="api", group="demo"))
    made = BALANCER.create(sim.control, work, Now()).outputs
    assert BALANCER.create(sim.control, work, Now()).outputs == made

    (seen,) = BALANCER.read(sim.control, [work], Now()).values()
    assert (seen.props, seen.outputs["host"]) == ({"name": "api", "group": "demo"}, made.host)
    assert BALANCER.update(sim.control, evolve(work, outputs=made), Now()) == Done(made)

    assert BALANCER.delete(sim.control, work, Now()) == Done(None)
    assert BALANCER.read(sim.control, [work], Now()) == {"K": Absent()}


@frozen
class Boot:
    """What Talos offers to machines."""

    version: str = "v1.13.9"

    def config(self, node, machine):
        return Secret(f"config of {node.name} on {machine.install_disk}")


def part(*nodes, **settings):
    wish = TalosWish("v1.13.9", "1.13", "v1.36.3")
    return Slice("lab", settings, Topology("demo", nodes, EndpointWish(), wish), nodes)


def node(name="w-1", **more):
    return Node(name, "worker", "workers", "lab", **more)


def test_the_provider_is_what_it_says():
    assert isinstance(provider, Infrastructure)
    assert all(isinstance(kind, Kind) for kind in provider.kinds.values())
    for kind in provider.kinds.values():
        assert "id" in Schema.of(kind.outputs).fields


def test_a_node_becomes_one_machine_born_with_its_configuration():
    design = provider.design(part(node(zone="a", size="medium"), time_scale=0, seed=7), Boot())

    (resource,), machine = design.resources, design.machines["w-1"]
    address = Address("sim.machine", "w-1")
    assert (resource.address, resource.provider) == (address, "lab")
    assert (machine.host, machine.id) == (Ref(address, "host"), Ref(address, "id"))
    assert (machine.delivery, machine.install_disk) == ("user_data", None)
    assert list(Schema.of(MachineProps).complaints(resource.props)) == []
    built = Schema.of(MachineProps).build(resource.props)
    assert attrs.asdict(built, filter=lambda item, value: item.name != "user_data") == {
        "name": "w-1",
        "group": "demo",
        "role": "worker",
        "cpus": 4,
        "memory_mib": 8192,
        "zone": "a",
        "image": "v1.13.9",
        "platform": "nocloud",
        "time_scale": 0,
        "seed": 7,
        "disk": "/dev/vda",
        "extra_disks": (),
        "power": "on",
        "alive": True,
    }
    assert built.user_data.reveal() == "config of w-1 on None"


@pytest.mark.parametrize(("settings", "options"), [({"delivery": "api"}, {}), ({}, {"delivery": "api"})])
def test_with_delivery_by_api_the_machine_is_metal_and_installs(settings, options):
    design = provider.design(part(node(options=options), **settings), Boot())
    props = design.resources[0].props
    assert (props["platform"], props["user_data"]) == ("metal", None)
    assert (design.machines["w-1"].delivery, design.machines["w-1"].install_disk) == ("api", "/dev/vda")


def test_a_pool_may_differ_from_the_provider_block():
    design = provider.design(part(node(options={"delivery": "user_data"}), delivery="api"), Boot())
    assert design.machines["w-1"].delivery == "user_data"


def test_the_endpoint_is_a_balancer_of_the_cluster():
    endpoint = provider.endpoint(part(node()))
    (resource,) = endpoint.resources
    assert (resource.address, resource.props) == (
        Address("sim.balancer", "api"),
        {"name": "api", "group": "demo"},
    )
    assert endpoint.host == Ref(resource.address, "host")


def test_design_is_pure_and_other_nodes_do_not_matter():
    alone, together = (provider.design(part(*nodes), Boot()) for nodes in ((node(),), (node(), node("w-2"))))
    assert alone.resources[0].props["cpus"] == together.resources[0].props["cpus"]
    assert alone.machines["w-1"] == together.machines["w-1"]


@pytest.mark.parametrize(
    ("made", "remedy"),
    [
        (part(node(size="huge")), "small, medium, large"),
        (part(node(), delivery="pigeon"), "user_data, api"),
        (part(node(options={"delivery": "pigeon"})), "user_data, api"),
        (part(node(options={"speed": 3})), "lists its options"),
        (part(node(), time_scale="fast"), "lists its settings"),
        (part(node(), time_scale=-1), "0 or more"),
    ],
)
def test_a_wrong_wish_is_refused_with_a_remedy(made, remedy):
    with pytest.raises(ProvError) as refused:
        provider.design(made, Boot())
    assert remedy in refused.value.remedy
    assert refused.value.detail
