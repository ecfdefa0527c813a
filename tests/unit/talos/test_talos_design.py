"""Talos's part of a design: what is made, after what, and in which order it changes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from attrs import evolve

from provisioner.sdk import (
    Address,
    Call,
    EndpointWish,
    Machine,
    Node,
    Provider,
    Ref,
    Rollout,
    Schema,
    TalosWish,
    Topology,
    Watch,
    evaluate,
    leaves,
    refs,
)
from provisioner.talos.design import BOOTSTRAP, HEALTH, SECRETS, Boot, design, settings
from provisioner.talos.provider import TalosProvider, provider

ENDPOINT = Ref(Address("sim.balancer", "api"), "host")


def node(name: str, role: str) -> Node:
    return Node(name=name, role=role, pool="p", provider="sim")  # type: ignore[arg-type]


@pytest.fixture
def topology() -> Topology:
    nodes = (*(node(f"control-{n}", "controlplane") for n in (1, 2, 3)), node("worker-1", "worker"))
    return Topology("demo", nodes, EndpointWish(), TalosWish("v1.13.9", "1.13", "v1.36.3"))


@pytest.fixture
def machines(topology: Topology) -> dict[str, Machine]:
    return {
        each.name: Machine(
            Address("sim.machine", each.name),
            host=Ref(Address("sim.machine", each.name), "host"),
            id=Ref(Address("sim.machine", each.name), "id"),
            delivery="user_data",
        )
        for each in topology.nodes
    }


def config(name: str) -> Address:
    return Address("talos.config", name)


def test_one_configuration_per_node_beside_secrets_bootstrap_and_health(topology, machines):
    resources, _ = design(topology, machines, ENDPOINT, "talos")
    expected = [SECRETS, *(config(each.name) for each in topology.nodes), BOOTSTRAP, HEALTH]
    assert expected == [resource.address for resource in resources]
    assert {"talos"} == {resource.provider for resource in resources}


def test_design_is_pure(topology, machines):
    assert design(topology, machines, ENDPOINT, "talos") == design(topology, machines, ENDPOINT, "talos")


def test_props_are_those_the_kinds_declare(topology, machines):
    resources, _ = design(topology, machines, ENDPOINT, "talos")
    for resource in resources:
        schema = Schema.of(provider.kinds[resource.address.kind].props)
        found = [(field, text) for field, text in schema.complaints(resource.props) if "must be" not in text]
        assert found == []


def test_bootstrap_follows_all_control_planes_and_health_everything(topology, machines):
    by_address = {each.address: each for each in design(topology, machines, ENDPOINT, "talos")[0]}
    assert by_address[BOOTSTRAP].props == {"node": "control-1"}
    assert by_address[BOOTSTRAP].after == tuple(config(f"control-{n}") for n in (1, 2, 3))
    assert by_address[HEALTH].after == (BOOTSTRAP,)
    waited_for = {ref.to for ref in refs(by_address[HEALTH].props)}
    assert waited_for == {config(each.name) for each in topology.nodes}


def test_a_configuration_refers_to_its_machine_its_endpoint_and_the_secrets(topology, machines):
    resources, _ = design(topology, machines, ENDPOINT, "talos")
    worker = next(each for each in resources if each.address == config("worker-1"))
    machine = Address("sim.machine", "worker-1")
    assert {SECRETS, machine, ENDPOINT.to} == {ref.to for ref in refs(worker.props)}
    assert {"host", "id"} == {ref.output for ref in refs(worker.props) if ref.to == machine}


def test_no_worker_holds_a_private_key(topology, machines):
    resources, _ = design(topology, machines, ENDPOINT, "talos")
    worker = next(each for each in resources if each.address == config("worker-1"))
    assert [ref.output for ref in refs(worker.props) if ref.output.endswith(".key")] == []


def test_user_data_is_the_text_of_the_documents_that_are_delivered(topology, machines):
    resources, _ = design(topology, machines, ENDPOINT, "talos")
    delivered = {each.address: each.props["documents"] for each in resources if "documents" in each.props}
    boot = Boot(topology, ENDPOINT)
    assert boot.version == "v1.13.9"
    for each in topology.nodes:
        assert boot.config(each, machines[each.name]) == Call("talos.encode", (delivered[config(each.name)],))


def test_user_data_can_be_encoded_once_all_is_known(topology, machines):
    value = Boot(topology, ENDPOINT).config(topology.nodes[0], machines[topology.nodes[0].name])
    text = evaluate(value, lambda ref: f"<{ref.output}>", provider.functions | {"concat": lambda *a: "".join(a)})
    assert isinstance(text, str)
    assert "hostname: control-1" in text
    assert all(not isinstance(leaf, Ref) for _, leaf in leaves(text))


def test_control_planes_change_one_at_a_time_and_so_do_those_on_their_way_out(topology, machines):
    _, rollouts = design(topology, machines, ENDPOINT, "talos")
    members = tuple(config(f"control-{n}") for n in (1, 2, 3))
    reason = "one control plane at a time, so that etcd keeps its quorum"
    (rollout,) = rollouts
    assert evolve(rollout, grounds={}) == Rollout(members, 1, reason, where={"role": "controlplane"})


def test_a_control_plane_is_away_with_its_machine_and_etcd_is_asked_before_and_after(topology, machines):
    _, (rollout,) = design(topology, machines, ENDPOINT, "talos")
    first = rollout.grounds[config("control-1")]
    assert {config(f"control-{n}") for n in (1, 2, 3)} == rollout.grounds.keys()
    assert first.address == machines["control-1"].address
    assert first.before == Watch("talos.quorum", "talos", {"node": "control-1"})
    assert first.after == Watch("talos.quorum", "talos", {"node": "control-1", "back": True})
    assert first.told == "once etcd can spare it; the next one when it is back"


def test_where_no_control_plane_can_be_spared_that_is_told(topology, machines):
    nodes = tuple(each for each in topology.nodes if each.name not in ("control-2", "control-3"))
    _, (rollout,) = design(evolve(topology, nodes=nodes), machines, ENDPOINT, "talos")
    assert rollout.grounds[config("control-1")].told == "etcd and the Kubernetes API are away meanwhile"


def test_the_provider_is_told_hosts_secrets_and_endpoint(topology, machines):
    found = settings(topology, machines, ENDPOINT)
    assert found["cluster"] == "demo"
    assert found["endpoint"] == ENDPOINT
    assert {"control-1", "control-2", "control-3"} == set(found["control_planes"])
    assert {each.name: machines[each.name].host for each in topology.nodes} == found["nodes"]
    assert found["secrets"]["certs"] == Ref(SECRETS, "certs")
    assert set(found) <= set(provider.settings.__annotations__)


def test_the_provider_satisfies_the_protocol():
    assert isinstance(provider, Provider)
    assert isinstance(provider, TalosProvider)


def test_loading_the_provider_loads_nothing_heavy():
    code = (
        "import sys, provisioner.talos.provider, provisioner.talos.design, provisioner.talos.handover;"
        "print(*sorted({'grpclib', 'cryptography', 'httpx', 'google.protobuf'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("\n", "")
