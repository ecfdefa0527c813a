"""What ties things together: answers that are lost while readings lag, and ties that are gone before the object."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.kinds.tagged import Tagged
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


@pytest.mark.parametrize(
    ("kind", "listing", "cut"),
    [
        (
            "route_table",
            ("describe_route_tables", "RouteTables"),
            lambda table: ("disassociate_route_table", {"AssociationId": _first(table)["RouteTableAssociationId"]}),
        ),
        (
            "gateway",
            ("describe_internet_gateways", "InternetGateways"),
            lambda gateway: (
                "detach_internet_gateway",
                {"InternetGatewayId": gateway["InternetGatewayId"], "VpcId": gateway["Attachments"][0]["VpcId"]},
            ),
        ),
    ],
)
def test_what_has_lost_its_tie_still_has_to_go(
    bed: Bed, lab: Lab, monkeypatch: pytest.MonkeyPatch, kind: str, listing: tuple[str, str], cut: Any
) -> None:
    """A subnet that goes takes its association along, between a reading of the table and the table's removal."""
    target = Address(f"aws.{kind}", "one")
    held = lab.make(target)
    looked, cuts = Tagged.looked, []

    def meanwhile(self: Tagged, aws: Aws, job: Any) -> Any:
        thing = looked(self, aws, job)
        if not cuts and thing is not None:
            operation, arguments = cut(thing)
            cuts.append(getattr(bed.client("ec2"), operation)(**arguments))
        return thing

    monkeypatch.setattr(Tagged, "looked", meanwhile)
    lab.remove(held)

    operation, result = listing
    assert len(cuts) == 1
    assert not [one for one in lab.client().pages("ec2", operation, result) if held.id in one.values()]


def _first(table: Any) -> Any:
    return next(one for one in table["Associations"] if "SubnetId" in one)
