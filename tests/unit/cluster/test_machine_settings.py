"""Settings of machines on their way from the file to the nodes, and what a release cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from provisioner.cluster.topology import topology_of
from provisioner.errors import InputError
from provisioner.model.address import Address
from provisioner.model.topology import Node
from provisioner.model.value import Origin, Ref, Secret, Sourced, Value, dig, strip_origins
from provisioner.spec.load import load

FILE = """\
version: 1
name: demo
talos: {version: v1.13.9}
providers: {sim: {}}
pools:
  control: {role: controlplane, provider: sim, count: 1}
  workers: {role: worker, provider: sim, count: 2, machine: %s}
machine: %s
nodes: %s
"""


def _nodes(
    tmp_path: Path, machine: str = "{}", pool: str = "{}", nodes: str = "{}", **environ: str
) -> Mapping[str, Node]:
    file = tmp_path / "cluster.yaml"
    file.write_text(FILE % (pool, machine, nodes))
    topology, _ = topology_of(load(file, variables={}, environ=environ), {})
    assert topology is not None
    return {node.name: node for node in topology.nodes}


def _plain(node: Node) -> Value:
    return strip_origins(node.settings)


def test_what_is_nearer_to_a_node_wins(tmp_path: Path) -> None:
    """All nodes, pool, node; mappings key by key."""
    nodes = _nodes(
        tmp_path,
        machine="{sysctls: {a: 1, b: 1, c: 1}}",
        pool="{sysctls: {b: 2, c: 2}}",
        nodes="{workers-2: {machine: {sysctls: {c: 3}}}}",
    )

    assert _plain(nodes["control-1"]) == {"sysctls": {"a": "1", "b": "1", "c": "1"}}
    assert _plain(nodes["workers-1"]) == {"sysctls": {"a": "1", "b": "2", "c": "2"}}
    assert _plain(nodes["workers-2"]) == {"sysctls": {"a": "1", "b": "2", "c": "3"}}


def test_lists_are_replaced(tmp_path: Path) -> None:
    """A nearer list is all there is, so one can be made shorter."""
    nodes = _nodes(
        tmp_path, machine="{resolver: {servers: [10.0.0.1, 10.0.0.2]}}", pool="{resolver: {servers: [10.9.0.1]}}"
    )
    servers = dig(nodes["workers-1"].settings, "resolver.servers")
    assert strip_origins(servers) == ({"address": "10.9.0.1"},)


def test_what_means_something_as_a_whole_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """A disk chosen by its size, and by its name on one node."""
    nodes = _nodes(
        tmp_path,
        machine='{install: {disk: {size: ">= 1GB"}}}',
        nodes="{workers-2: {machine: {install: {disk: /dev/vdb}}}}",
    )
    assert strip_origins(dig(nodes["workers-2"].settings, "install.disk")) == {"device": "/dev/vdb"}


def test_the_shared_address_given_to_all_is_for_control_planes(tmp_path: Path) -> None:
    nodes = _nodes(tmp_path, machine="{vip: {address: 10.0.0.100, link: eth0}}")

    assert "vip" in nodes["control-1"].settings
    assert "vip" not in nodes["workers-1"].settings


def test_a_layer_may_complete_another(tmp_path: Path) -> None:
    """What all have in common stands at the top, what is each node's own below it."""
    own = "{control-1: &a {machine: {vlans: {eth0.7: {addresses: [10.7.0.1/24]}}}}, workers-1: *a, workers-2: *a}"
    nodes = _nodes(tmp_path, machine="{vlans: {eth0.7: {link: eth0, id: 7}}}", nodes=own)
    expected = {"link": "eth0", "id": 7, "addresses": ("10.7.0.1/24",)}
    assert strip_origins(dig(nodes["control-1"].settings, "vlans"))["eth0.7"] == expected  # type: ignore[index,call-overload]


def test_every_leaf_knows_its_line(tmp_path: Path) -> None:
    nodes = _nodes(tmp_path, machine="{sysctls: {a: 1}}", pool="{sysctls: {b: 2}}")
    sysctls = nodes["workers-1"].settings["sysctls"]
    origins = {"a": Sourced("1", Origin("cluster.yaml", 8)), "b": Sourced("2", Origin("cluster.yaml", 7))}
    assert origins == sysctls


def test_secrets_and_references_stay_what_they_are(tmp_path: Path) -> None:
    nodes = _nodes(
        tmp_path,
        machine='{registries: {auth: {ghcr.io: {username: a, password: "${env.TOKEN}"}}}, '
        'time: {servers: ["${nodes.control-1.ip}"]}}',
        TOKEN="hunter2",
    )
    settings = nodes["workers-1"].settings
    assert isinstance(settings["registries"], Mapping)
    auth = dig(settings["registries"], "auth")
    assert isinstance(auth, Mapping)
    assert dig(auth["ghcr.io"], "password") == Sourced(Secret("hunter2"), Origin("cluster.yaml", 8))
    assert dig(settings, "time.servers") == (Ref(Address("cluster.node", "control-1"), "host"),)


def test_what_the_release_cannot_be_told_is_said_with_its_line(tmp_path: Path) -> None:
    """All of it at once, in the order of the file, whichever layer it stands in."""
    with pytest.raises(InputError) as caught:
        _nodes(
            tmp_path,
            machine="{time: {servers: [a.example.org], nts: true}}",
            pool="{install: {disk: {match: disk.rotational}}}",
            nodes="{workers-1: {machine: {volumes: {system: {ETCD: {disk: /dev/vdb, min_size: 1GB}}}}}}",
        )
    found = [(problem.code, problem.place.line, problem.place.column) for problem in caught.value.problems()]
    assert found == [("setting-release", 7, 86), ("setting-release", 8, 49), ("setting-release", 9, 50)]


def test_the_release_is_the_one_the_cluster_was_born_with(tmp_path: Path) -> None:
    """What a standing cluster's configuration has no place for is refused, whatever `talos.version` says."""
    file = tmp_path / "cluster.yaml"
    file.write_text(FILE % ("{}", "{environment: {A: b}, volumes: {system: {EPHEMERAL: {secure: true}}}}", "{}"))
    spec = load(file, variables={}, environ={})

    topology_of(spec, {})
    with pytest.raises(InputError, match="cannot be told"):
        topology_of(spec, {"talos.version": "v1.12.11", "talos.contract": "1.12"})
