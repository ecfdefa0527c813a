"""What clusters become on AWS, as text: `PROV_GOLDEN=write` rewrites it; read the diff."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve
from prov_aws import provider

from provisioner.conformance.clusters import Boot, part
from provisioner.sdk import (
    Address,
    Call,
    EndpointWish,
    Node,
    ProvError,
    Ref,
    Resource,
    Secret,
    Slice,
    TalosWish,
    Topology,
    Value,
    freeze,
)

GOLDEN = Path(__file__).with_name("golden")
OPERATORS = ("203.0.113.7/32",)


class CustomBoot(Boot):
    """A file that wants system extensions."""

    schematic = "ab" * 32
    stock = False


def _node(name: str, role: Any = "worker", **more: Any) -> Node:
    options = {key: freeze(value) for key, value in more.pop("options", {}).items()}
    return Node(name, role, name.rpartition("-")[0], "aws", options=options, **more)


def _topology(*nodes: Node, endpoint: str = "auto") -> Topology:
    return Topology("demo", nodes, EndpointWish(endpoint), TalosWish("v1.13.9", "1.13", "v1.36.3"))


def _slice(topology: Topology, **settings: Any) -> Slice:
    block = {name: freeze(value) for name, value in {"operators": OPERATORS, **settings}.items()}
    return evolve(part(topology, block), instance="aws")


THREE = tuple(_node(f"control-{n}", "controlplane", zone=zone) for n, zone in enumerate("abc", 1))
ONE = (_node("control-1", "controlplane", zone="a"),)
KEPT = {"device": "/dev/sdg", "size_gib": 100, "keep": True}
POOLS = (
    _node(
        "control-1",
        "controlplane",
        size="m7g.large",
        options={"root": {"size_gib": 50, "iops": 6000, "key": "alias/disks"}, "placement": "spread"},
    ),
    _node(
        "big-1",
        size="r7i.2xlarge",
        options={"volumes": [{"device": "/dev/sdf", "size_gib": 500, "type": "st1"}, KEPT]},
    ),
    _node("spot-1", size="m7g.large", options={"spot": 0.04, "profile": "workers", "tags": {"team": "b"}}),
    _node("edge-1", size="t3.medium", zone="b", options={"elastic_ip": True, "placement": "own", "hop_limit": 2}),
)
EXISTING: Mapping[str, Any] = {
    "id": "vpc-1",
    "subnets": {"a": "subnet-1", "b": {"tags": {"tier": "nodes"}}},
    "balancer_subnets": {"a": {}},
}
CASES: Mapping[str, tuple[Slice, Boot]] = {
    "public": (_slice(_topology(*THREE, _node("workers-1", zone="a"))), Boot()),
    "private": (
        _slice(
            _topology(*THREE[:2], _node("workers-1", zone="c")),
            nodes="private",
            nat="each",
            balancer={"public": False, "talos_api": True},
            peer_ports=("udp/8472", "tcp/4240"),
            node_ports=("198.51.100.0/24",),
            outgoing=({"ports": "tcp/443", "to": "0.0.0.0/0", "for": "images"},),
        ),
        Boot(),
    ),
    "dual-stack": (
        _slice(_topology(*ONE), nodes="private", ipv6=True, tags={"owner": "us"}, balancer={"fixed": True}),
        Boot(),
    ),
    "existing-network": (_slice(_topology(*ONE, _node("workers-1", zone="b")), network=EXISTING), Boot()),
    "given-endpoint": (_slice(_topology(*ONE, endpoint="k8s.example.org"), image="ami-1"), Boot()),
    "pools": (_slice(_topology(*POOLS)), Boot()),
    "factory": (_slice(_topology(*ONE)), CustomBoot()),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_golden_design(name: str) -> None:
    slice_, boot = CASES[name]
    found = _text(slice_, boot)
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("PROV_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found)
    assert path.read_text() == found


@pytest.mark.parametrize(
    ("says", "topology", "settings"),
    [
        ("operators is empty", _topology(*ONE), {"operators": ()}),
        ("operators: 'anywhere'", _topology(*ONE), {"operators": ("anywhere",)}),
        ("operators: 203.0.113.7 has no length", _topology(*ONE), {"operators": ("203.0.113.7",)}),
        ("outgoing: 0.0.0.0 has no length", _topology(*ONE), {"outgoing": ({"ports": "all", "to": "0.0.0.0"},)}),
        ("outside: 203.0.113.9 has", _topology(*ONE), {"network": {"id": "vpc-1", "outside": ("203.0.113.9",)}}),
        ("tags: Name is the tag", _topology(*ONE), {"tags": {"Name": "mine"}}),
        ("tags: aws:x begins", _topology(_node("control-1", "controlplane", options={"tags": {"aws:x": "y"}})), {}),
        ("nodes is 'some'", _topology(*ONE), {"nodes": "some"}),
        ("balancer.publick", _topology(*ONE), {"balancer": {"publick": True}}),
        ("outgoing: a rule is", _topology(*ONE), {"outgoing": ({"port": "tcp/443"},)}),
        ("names no ports", _topology(*ONE), {"peer_ports": ("8472",)}),
        ("zone lax-1", _topology(_node("control-1", "controlplane", zone="lax-1")), {}),
        ("use /16 to /24", _topology(*ONE), {"network": {"cidr": "10.0.0.0/8"}}),
        ("both id and tags", _topology(*ONE), {"network": {"id": "vpc-1", "tags": {"a": "b"}}}),
        ("spot is for workers", _topology(_node("control-1", "controlplane", options={"spot": True})), {}),
        ("root.colour", _topology(_node("control-1", "controlplane", options={"root": {"colour": 1}})), {}),
        ("too many for a security group", _topology(*ONE, *(_node(f"workers-{n}") for n in range(60))), {}),
    ],
)
def test_what_cannot_be_used_is_told(says: str, topology: Topology, settings: Mapping[str, Any]) -> None:
    """Before anything is made, with the name of what is wrong and a remedy."""
    slice_ = _slice(topology, **settings)
    with pytest.raises(ProvError) as caught:
        provider.design(slice_, Boot())

    assert says in caught.value.detail
    assert caught.value.remedy


def test_what_only_connections_need_may_be_made_by_others() -> None:
    """A role that is yet to be made; but nothing that shapes the design."""
    role = Ref(Address("aws.iam_role", "one"), "arn")

    assert provider.design(_slice(_topology(*ONE), assume_role=role), Boot()).machines
    with pytest.raises(ProvError):
        provider.design(_slice(_topology(*ONE), nodes=role), Boot())


def test_nothing_is_open_to_the_world_unless_the_file_says_so() -> None:
    """No rule of any case lets the whole world in."""
    sources = {
        str(rule["from"])
        for slice_, boot in CASES.values()
        for resource in _resources(slice_, boot)
        if resource.address.kind == "aws.security_group"
        for rule in resource.props["rules"]  # type: ignore[union-attr]
    }

    assert {"203.0.113.7/32", "self"} < sources
    assert sources & {"0.0.0.0/0", "::/0"} == set()


def _resources(slice_: Slice, boot: Boot) -> tuple[Resource, ...]:
    auto = slice_.topology.endpoint.text == "auto"
    endpoint = provider.endpoint(slice_) if auto else None
    return (*provider.design(slice_, boot).resources, *(endpoint.resources if endpoint else ()))


def _text(slice_: Slice, boot: Boot) -> str:
    made = provider.design(slice_, boot)
    endpoint = provider.endpoint(slice_) if slice_.topology.endpoint.text == "auto" else None
    whole = {
        "endpoint": _plain(endpoint.host) if endpoint else slice_.topology.endpoint.text,
        "machines": {
            name: {"host": _plain(machine.host), "names": _plain(machine.names)}
            for name, machine in made.machines.items()
        },
        "resources": {
            str(one.address): {**_plain(one.props), **({"after": [str(a) for a in one.after]} if one.after else {})}
            for one in _resources(slice_, boot)
        },
    }
    return str(yaml.safe_dump(whole, sort_keys=False, width=110))


def _plain(value: Value) -> Any:
    match value:
        case Ref():
            return f"${{{value.to}.{value.output}}}"
        case Call():
            return f"{value.fn}({', '.join(str(_plain(arg)) for arg in value.args)})"
        case Secret():
            return "(secret)"
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
    return value
