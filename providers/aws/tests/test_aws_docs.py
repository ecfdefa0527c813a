"""The provider's page keeps step with the code, and the example with both."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from prov_aws import provider
from prov_aws.settings import AwsSettings, BalancerWish, ImageWish, NetworkWish, NodeOptions, Volume

from provisioner.cluster.compose import compose
from provisioner.cluster.topology import topology_of
from provisioner.plugins.registry import Registry
from provisioner.sdk import Schema
from provisioner.spec.load import load

PAGE = (Path(__file__).parents[1] / "README.md").read_text()
EXAMPLE = Path(__file__).parents[3] / "examples" / "aws-ha" / "cluster.yaml"


def test_every_setting_and_option_is_described() -> None:
    words = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`[^`\n]+`", PAGE))))
    classes = (AwsSettings, NetworkWish, BalancerWish, ImageWish, NodeOptions, Volume)

    assert {name for cls in classes for name in Schema.of(cls).fields} - words == set()


def test_every_kind_is_described_with_its_properties_and_outputs() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `aws.")]
    missing = []
    for kind_name, kind in provider.kinds.items():
        row = next((row for row in rows if f"`{kind_name}`" in row), "")
        named = {*Schema.of(kind.props).fields, *Schema.of(kind.outputs).fields} - {"name", "tags"}
        missing += [f"{kind_name}.{name}" for name in sorted(named) if f"`{name}`" not in row]

    assert missing == []


def test_the_example_is_a_cluster_over_three_zones() -> None:
    """The file as it stands becomes three control planes in three zones, workers, and a balancer in front."""
    spec = load(EXAMPLE, variables={}, environ={})
    topology, bindings = topology_of(spec, {})
    graph = compose(spec, topology, bindings, Registry.installed())
    kinds = Counter(address.kind for address in graph.resources)

    assert topology is not None
    assert [node.zone for node in topology.control_planes] == ["a", "b", "c"]
    assert (kinds["aws.machine"], kinds["aws.balancer"], kinds["aws.nat_gateway"]) == (5, 1, 3)
