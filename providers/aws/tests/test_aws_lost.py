"""Calls that tie things together, of which the answer is lost while readings lag: nothing is made anew for that."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Lab, Sample
from provisioner.sdk import Address, Ref

CLIENTS: dict[str, Any] = {}


def _id(kind: str) -> Ref:
    return Ref(Address(f"aws.{kind}", "one"), "id")


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """A network with a way out."""
    samples = {
        "aws.network/one": Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        "aws.subnet/one": Sample({"name": "one", "network": _id("network"), "cidr": "10.1.0.0/20", "zone": "a"}),
        "aws.gateway/one": Sample({"name": "one", "network": _id("network")}),
        "aws.route_table/one": Sample(
            {
                "name": "one",
                "network": _id("network"),
                "routes": {"0.0.0.0/0": _id("gateway")},
                "subnets": (_id("subnet"),),
            }
        ),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    return Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "gateway"), samples)


@pytest.mark.parametrize(
    ("kind", "listing", "ties"),
    [
        ("gateway", ("describe_internet_gateways", "InternetGateways"), "Attachments"),
        ("route_table", ("describe_route_tables", "RouteTables"), "Routes"),
        ("route_table", ("describe_route_tables", "RouteTables"), "Associations"),
    ],
)
def test_what_a_lost_call_did_is_no_conflict(
    bed: Bed, lab: Lab, kind: str, listing: tuple[str, str], ties: str
) -> None:
    """AWS refuses the repetition, for it is done already and does not show yet: that is no end of the object."""
    target = Address(f"aws.{kind}", "one")
    held = lab.make(target)
    operation, result = listing
    things = lab.client().pages("ec2", operation, result)
    thing = next(one for one in things if held.id in one.values())
    there = thing[ties]
    lab.kind(target).shape(lab.client(), evolve(held, wanted=held.applied).job(), {**thing, ties: []})
    again = next(one for one in lab.client().pages("ec2", operation, result) if held.id in one.values())

    assert again[ties] == there
