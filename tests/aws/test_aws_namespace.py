"""A whole cluster on EC2: from the file to a healthy cluster behind the balancer's name, and back to nothing.

Runs in a network namespace where private addresses are local; see scripts/aws-test.sh.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from beds.aws.lab import AwsLab, aws_lab, in_namespace
from fakes.example import copy_of
from kubernetes import client, config

EXAMPLE = Path(__file__).parents[2] / "examples" / "aws-ha"
pytestmark = [pytest.mark.aws, pytest.mark.namespace, pytest.mark.timeout(900)]


@pytest.fixture
def lab(tmp_path: Path, age_key: Path) -> Iterator[AwsLab]:
    """The example, in a region where it can be made."""
    hosts = in_namespace()
    if hosts is None:
        pytest.fail("this needs a network namespace of its own: make test-aws")
    copy_of(EXAMPLE, tmp_path)
    with aws_lab(tmp_path, age_key, hosts=hosts) as lab:
        yield lab


def _nodes(lab: AwsLab) -> dict[str, bool]:
    """The nodes and whether they are ready, as the Kubernetes API behind the balancer's name tells."""
    name = yaml.safe_load(lab.file.read_text())["name"]
    api = client.CoreV1Api(config.new_client_from_config(str(lab.folder / ".prov" / f"{name}.kubeconfig")))
    return {
        node.metadata.name: any(one.type == "Ready" and one.status == "True" for one in node.status.conditions)
        for node in api.list_node().items
    }


def test_the_example_becomes_healthy_behind_its_balancer_and_goes_again(lab: AwsLab) -> None:
    """Through the balancer's name all nodes are ready; a second plan is empty; after destroy nothing is left."""
    pools = yaml.safe_load(lab.file.read_text())["pools"]
    expected = {f"{name}-{n + 1}": True for name, pool in pools.items() for n in range(pool["count"])}
    before = lab.there()
    lab.prov("apply", "--yes")
    nodes, counts = _nodes(lab), lab.counts()
    status = lab.json("status")
    lab.prov("plan")
    lab.prov("destroy", "--yes")

    assert before == {}
    assert nodes == expected
    assert counts["instances"] == len(expected)
    assert ".elb.amazonaws.com" in status["endpoint"]
    assert lab.bridge.faults == []
    assert lab.there() == {}
    assert lab.bridge.machines() == {}


def test_the_balancer_leads_to_healthy_control_planes_only(lab: AwsLab) -> None:
    """With one of three control planes gone the API answers on, and drift is seen."""
    lab.prov("apply", "--yes")
    instance, name = next(
        (id_, one.hostname) for id_, one in lab.bridge.machines().items() if one.hostname.startswith("control")
    )
    lab.bed.client("ec2").terminate_instances(InstanceIds=[instance])
    lab.bridge.wait(lambda: instance not in lab.bridge.machines())
    answered = [_nodes(lab) for _ in range(6)]
    changes = lab.changes()
    lab.prov("destroy", "--yes")

    assert [nodes[name] for nodes in answered] == [False] * 6
    assert f"aws.machine/{name}" in [address for _, address in changes]
    assert lab.there() == {}
