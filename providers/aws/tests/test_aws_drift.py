"""What somebody else does to our objects shows when they are read, and is put right by an update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Held, Lab, Sample, same
from provisioner.sdk import ABSENT, Absent, Address, FieldChange, Ref, Seen

MACHINE, GROUP, TARGETS = (Address(f"aws.{kind}", "one") for kind in ("machine", "security_group", "target_group"))
CLIENTS: dict[str, Any] = {}


def _id(kind: str) -> Ref:
    return Ref(Address(f"aws.{kind}", "one"), "id")


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """A machine behind a target group, with what it takes."""
    image = bed.publish_talos("v1.13.9")["x86_64"]
    samples = {
        "aws.network/one": Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        "aws.subnet/one": Sample({"name": "one", "network": _id("network"), "cidr": "10.1.0.0/20", "zone": "a"}),
        "aws.security_group/one": Sample(
            {"name": "one", "network": _id("network"), "rules": ({"ports": "tcp/6443", "from": "203.0.113.7/32"},)}
        ),
        "aws.target_group/one": Sample({"name": "one", "network": _id("network"), "port": 6443}),
        "aws.machine/one": Sample(
            {
                "name": "one",
                "type": "m7i.large",
                "image": image,
                "subnet": _id("subnet"),
                "security_groups": (_id("security_group"),),
                "targets": (_id("target_group"),),
                "root_gib": 20,
                "volumes": ({"device": "/dev/sdf", "size_gib": 5},),
            }
        ),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    return Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "machine"), samples)


def _stop(bed: Bed, lab: Lab, machine: str) -> None:
    bed.client("ec2").stop_instances(InstanceIds=[machine])
    bed.settle()


def _deregister(bed: Bed, lab: Lab, machine: str) -> None:
    group = lab.resolved(_id("target_group"))
    bed.client("elbv2").deregister_targets(TargetGroupArn=group, Targets=[{"Id": machine}])
    bed.settle()


def _open_metadata(bed: Bed, lab: Lab, machine: str) -> None:
    bed.client("ec2").modify_instance_metadata_options(InstanceId=machine, HttpTokens="optional")


def _retag(bed: Bed, lab: Lab, machine: str) -> None:
    tags = [{"Key": "Name", "Value": "mine"}, {"Key": "stray", "Value": "x"}]
    bed.client("ec2").create_tags(Resources=[machine], Tags=tags)


@pytest.mark.parametrize(
    ("expected", "says", "severity", "drift"),
    [
        ({"power"}, "switches the machine on", "critical", _stop),
        ({"targets"}, "registers the machine at its balancers as wanted", "critical", _deregister),
        ({"hop_limit"}, "while it runs", "critical", _open_metadata),
        ({"name", "tags"}, "while it runs", "info", _retag),
    ],
)
def test_what_happens_to_a_machine_shows_and_is_put_right(
    bed: Bed, lab: Lab, expected: set[str], says: str, severity: str, drift: Callable[[Bed, Lab, str], None]
) -> None:
    """And the plan says how bad it is, and what putting it right does."""
    held = lab.make(MACHINE)
    drift(bed, lab, str(held.id))
    found = _differences(lab, held)
    changes = [FieldChange((name,), found[name][1], found[name][0]) for name in sorted(found)]
    told, weighed = lab.kind(MACHINE).consequence(changes), lab.kind(MACHINE).severity(changes)
    lab.change(held, {})

    assert set(found) == expected
    assert (told, weighed) == (says, severity)
    assert _differences(lab, held) == {}


def test_a_rule_that_was_added_is_closed_and_one_that_was_taken_away_opened(bed: Bed, lab: Lab) -> None:
    held, ec2 = lab.make(GROUP), bed.client("ec2")
    world = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    api = [{"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443, "IpRanges": [{"CidrIp": "203.0.113.7/32"}]}]
    ec2.authorize_security_group_ingress(GroupId=held.id, IpPermissions=world)
    ec2.revoke_security_group_ingress(GroupId=held.id, IpPermissions=api)
    found = _differences(lab, held)
    changes = [FieldChange(("rules",), *found["rules"])]
    lab.change(held, {})

    assert lab.kind(GROUP).severity(changes) == "critical"
    assert {(rule["ports"], rule["from"]) for rule in found["rules"][1]} == {("tcp/22", "0.0.0.0/0")}
    assert lab.kind(GROUP).consequence([FieldChange(("rules", 0), ABSENT, "x")]) == "changes what is let in"
    assert _differences(lab, held) == {}


def test_a_machine_that_was_terminated_is_absent(bed: Bed, lab: Lab) -> None:
    """At once, though AWS tells of it for an hour."""
    held = lab.make(MACHINE)
    bed.client("ec2").terminate_instances(InstanceIds=[held.id])
    going = lab.read(held)
    bed.settle()

    assert (going, lab.read(held)) == (Absent(), Absent())


def test_disks_and_interfaces_go_with_their_machine(bed: Bed, lab: Lab) -> None:
    """The system disk and another one, both encrypted and with the mark of the machine."""
    held, ec2 = lab.make(MACHINE), bed.client("ec2")
    disks = ec2.describe_volumes()["Volumes"]
    lab.remove(held)
    bed.settle()

    assert sorted((disk["Size"], disk["Encrypted"]) for disk in disks) == [(5, True), (20, True)]
    assert {_tag(disk, "prov:key") for disk in disks} == {held.key}
    assert ec2.describe_volumes()["Volumes"] == []


def test_the_metadata_service_wants_a_token_and_answers_no_farther(bed: Bed, lab: Lab) -> None:
    held = lab.make(MACHINE)
    found = bed.client("ec2").describe_instances(InstanceIds=[held.id])["Reservations"][0]["Instances"][0]

    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert found["MetadataOptions"]["HttpPutResponseHopLimit"] == 1


def test_tags_of_controllers_are_left_alone(bed: Bed, lab: Lab) -> None:
    held = lab.make(GROUP)
    tags = [{"Key": "kubernetes.io/cluster/demo", "Value": "owned"}]
    bed.client("ec2").create_tags(Resources=[held.id], Tags=tags)
    before = lab.remote.writes()
    lab.change(held, {})

    assert _differences(lab, held) == {}
    assert lab.remote.writes() == before


def _differences(lab: Lab, held: Held) -> dict[str, tuple[Any, Any]]:
    reading = lab.read(held)
    assert isinstance(reading, Seen)
    schema = lab.schema(held.address)
    return same(schema, schema.dump(held.applied), reading.props)


def _tag(thing: Mapping[str, Any], key: str) -> str:
    return next((str(tag["Value"]) for tag in thing.get("Tags") or () if tag["Key"] == key), "")
