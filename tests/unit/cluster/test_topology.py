"""Which nodes a file means, and that what stands does not move."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from provisioner.cluster.topology import moves, topology_of
from provisioner.errors import InputError
from provisioner.model.topology import Node, TalosWish
from provisioner.model.value import dig
from provisioner.spec.schema import ClusterSpec, KubernetesSpec, Patch, Pool, ProviderBlock, TalosSpec

CONTROL = Pool("control", "controlplane", "sim", 3, zones=("a", "b", "c"))
WORKERS = Pool("workers", "worker", "sim", 2, size="large", options={"disk": 20})


def _spec(
    *pools: Pool, kubernetes: str | None = None, talos: str = "v1.13.9", patches: tuple[Patch, ...] = ()
) -> ClusterSpec:
    return ClusterSpec(
        path=Path("cluster.yaml"),
        name="demo",
        variables={},
        talos=TalosSpec(talos),
        kubernetes=KubernetesSpec(kubernetes),
        providers={"sim": ProviderBlock("sim", "sim", {})},
        endpoint="auto",
        pools=pools,
        patches=patches,
    )


def _zones(spec: ClusterSpec, bindings: dict[str, str] | None = None) -> dict[str, str]:
    topology, _ = topology_of(spec, bindings or {})
    return {node.name: node.zone for node in topology.nodes}


def test_nodes_are_named_after_their_pool_and_carry_what_it_says() -> None:
    topology, _ = topology_of(_spec(WORKERS, CONTROL), {})
    names = ["control-1", "control-2", "control-3", "workers-1", "workers-2"]
    assert names == [node.name for node in topology.nodes]
    last = topology.nodes[-1]
    assert last == Node("workers-2", "worker", "workers", "sim", "large", options={"disk": 20})


def test_a_file_without_a_cluster_has_no_topology_and_keeps_what_is_bound() -> None:
    """There are no nodes to name; bindings that are not a cluster's stay."""
    spec = evolve(_spec(), talos=None)

    assert topology_of(spec, {"other": "kept"}) == (None, {"other": "kept"})


def test_a_cluster_that_stands_cannot_be_dropped_from_the_file() -> None:
    """Only a file that describes it can take it down in good order."""
    _, bindings = topology_of(_spec(CONTROL), {})
    with pytest.raises(InputError) as caught:
        topology_of(evolve(_spec(), talos=None), bindings)

    assert [problem.code for problem in caught.value.problems()] == ["cluster-dropped"]


def test_nodes_are_ordered_by_number_not_by_text() -> None:
    topology, _ = topology_of(_spec(evolve(CONTROL, count=11)), {})
    assert [node.name for node in topology.nodes][-3:] == ["control-9", "control-10", "control-11"]


def test_a_node_taken_out_leaves_the_others_alone() -> None:
    before, bindings = topology_of(_spec(CONTROL), {})
    after, _ = topology_of(_spec(evolve(CONTROL, without=("control-2",))), bindings)
    assert [node for node in before.nodes if node.name != "control-2"] == list(after.nodes)


def test_zones_are_spread_round_robin_at_birth() -> None:
    spec = _spec(evolve(CONTROL, count=5))
    assert _zones(spec) == {"control-1": "a", "control-2": "b", "control-3": "c", "control-4": "a", "control-5": "b"}


def test_a_new_zone_moves_no_node_and_takes_the_next_ones() -> None:
    pool = evolve(CONTROL, zones=("a", "b"))
    before, bindings = topology_of(_spec(pool), {})
    after = _zones(_spec(evolve(pool, zones=("c", "a", "b"), count=5)), bindings)
    assert {node.name: node.zone for node in before.nodes}.items() <= after.items()
    assert [after["control-4"], after["control-5"]] == ["c", "c"]


def test_nodes_born_without_a_zone_stay_without() -> None:
    _, bindings = topology_of(_spec(CONTROL, WORKERS), {})
    zones = _zones(_spec(CONTROL, evolve(WORKERS, zones=("a", "b"), count=3)), bindings)
    assert [zones[f"workers-{number}"] for number in (1, 2, 3)] == ["", "", "a"]


def test_a_zone_that_leaves_the_file_is_left() -> None:
    _, bindings = topology_of(_spec(CONTROL), {})
    zones = _zones(_spec(evolve(CONTROL, zones=("a", "b"))), bindings)
    assert (zones["control-1"], zones["control-2"], zones["control-3"]) == ("a", "b", "a")


def test_a_pool_that_no_longer_names_zones_keeps_those_it_has() -> None:
    _, bindings = topology_of(_spec(CONTROL), {})
    zones = _zones(_spec(evolve(CONTROL, zones=(), count=4)), bindings)
    assert list(zones.values()) == ["a", "b", "c", ""]


def test_a_node_that_comes_back_finds_its_zone() -> None:
    _, first = topology_of(_spec(CONTROL), {})
    _, second = topology_of(_spec(evolve(CONTROL, without=("control-2",))), first)
    assert _zones(_spec(CONTROL), second)["control-2"] == "b"


def test_the_same_bindings_come_out_as_went_in_once_all_is_bound() -> None:
    spec = _spec(CONTROL, WORKERS)
    first, bindings = topology_of(spec, {})
    assert (first, bindings) == topology_of(spec, bindings)


def test_birth_binds_zones_releases_and_the_contract() -> None:
    _, bindings = topology_of(_spec(evolve(CONTROL, count=1)), {})
    assert bindings == {
        "node/control-1/zone": "a",
        "talos.version": "v1.13.9",
        "kubernetes.version": "v1.36.3",
        "talos.contract": "1.13",
    }


def test_a_later_default_moves_neither_releases_nor_the_contract() -> None:
    bound = {"talos.version": "v1.13.8", "kubernetes.version": "v1.35.2", "talos.contract": "1.12"}
    topology, bindings = topology_of(_spec(CONTROL), bound)
    assert TalosWish(version="v1.13.8", contract="1.12", kubernetes="v1.35.2") == topology.talos
    assert bound.items() <= bindings.items()


def test_a_version_stays_when_it_is_taken_out_of_the_file() -> None:
    _, bindings = topology_of(_spec(CONTROL, kubernetes="v1.34.1"), {})
    topology, _ = topology_of(_spec(CONTROL), bindings)
    assert topology.talos.kubernetes == "v1.34.1"
    assert moves(_spec(CONTROL), bindings) == ()


def test_a_standing_cluster_is_not_moved_to_other_releases_by_an_edit() -> None:
    bound = {"talos.version": "v1.13.8", "kubernetes.version": "v1.33.0"}
    found = moves(_spec(CONTROL, kubernetes="v1.34.1"), bound)
    assert [problem.code for problem in found] == ["upgrade", "upgrade"]
    assert "v1.13.8" in found[0].remedy
    assert topology_of(_spec(CONTROL, kubernetes="v1.34.1"), bound)[0].talos.kubernetes == "v1.33.0"


def test_patches_apply_in_the_order_all_role_pool_node() -> None:
    def patch(text: str, **whom: str) -> Patch:
        return Patch(({"machine": {"type": text}},), **whom)  # type: ignore[arg-type]

    pool = evolve(CONTROL, count=1, patches=(patch("pool"),))
    top = (
        patch("node", node="control-1"), patch("role", role="controlplane"), patch("all"),
        patch("other role", role="worker"), patch("other node", node="control-2"),
    )  # fmt: skip
    (node,) = topology_of(_spec(pool, patches=top), {})[0].nodes
    assert [dig(patch[0], "machine.type") for patch in node.patches] == ["all", "role", "pool", "node"]
