"""What keeps parts of a network from going is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Held, Lab, Sample
from provisioner.sdk import Address, Pending, Ref

CLIENTS: dict[str, Any] = {}


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """A network with a subnet and a security group."""
    network = Ref(Address("aws.network", "one"), "id")
    samples = {
        "aws.network/one": Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        "aws.subnet/one": Sample({"name": "one", "network": network, "cidr": "10.1.0.0/20", "zone": "a"}),
        "aws.security_group/one": Sample({"name": "one", "network": network}),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    return Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "network"), samples)


def _interface(bed: Bed, lab: Lab) -> str:
    """The interface of a balancer that Kubernetes has made, in our subnet and our group."""
    subnet, group = (lab.resolved(Ref(Address(f"aws.{kind}", "one"), "id")) for kind in ("subnet", "security_group"))
    made = bed.client("ec2").create_network_interface(SubnetId=subnet, Groups=[group], Description="ELB net/k8s-web")
    return f"{made['NetworkInterface']['NetworkInterfaceId']} (ELB net/k8s-web)"


def _group(bed: Bed, lab: Lab) -> str:
    network = lab.resolved(Ref(Address("aws.network", "one"), "id"))
    made = bed.client("ec2").create_security_group(GroupName="k8s-elb-web", Description="web", VpcId=network)
    return f"{made['GroupId']} (k8s-elb-web)"


def _held(lab: Lab, kind: str) -> Held:
    """What is on record of an object that others refer to."""
    target = Address(f"aws.{kind}", "one")
    lab.resolved(Ref(target, "id"))
    return lab._needs[target]


@pytest.mark.parametrize(
    ("kind", "user"), [("subnet", _interface), ("security_group", _interface), ("network", _group)]
)
def test_who_still_uses_it_is_named(bed: Bed, lab: Lab, kind: str, user: Callable[[Bed, Lab], str]) -> None:
    """With what it is called, for an id alone tells nobody which service it belongs to."""
    expected = user(bed, lab)
    told = lab.call("delete", _held(lab, kind))

    assert isinstance(told, Pending)
    assert expected in told.note


def test_where_it_may_not_be_listed_aws_has_the_word(bed: Bed, lab: Lab) -> None:
    _interface(bed, lab)
    bed.faults.script("denied", "ec2:DescribeNetworkInterfaces")
    told = lab.call("delete", _held(lab, "subnet"))

    assert isinstance(told, Pending)
    assert "DependencyViolation" in told.note
