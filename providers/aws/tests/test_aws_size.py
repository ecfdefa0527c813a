"""Another type for machines that stand: in place, one at a time, and only while the others are well."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Held, Lab, Sample
from provisioner.sdk import Address, Done, Fatal, Pending, Ref, Seen

CLIENTS: dict[str, Any] = {}
ONE, TWO = Address("aws.machine", "one"), Address("aws.machine", "two")


def _id(kind: str) -> Ref:
    return Ref(Address(f"aws.{kind}", "one"), "id")


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """Two machines behind a balancer."""
    image = bed.publish_talos("v1.13.9")["x86_64"]
    machine = {"type": "m7i.large", "image": image, "subnet": _id("subnet"), "targets": (_id("target_group"),)}
    samples = {
        "aws.network/one": Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        "aws.subnet/one": Sample({"name": "one", "network": _id("network"), "cidr": "10.1.0.0/20", "zone": "a"}),
        "aws.target_group/one": Sample({"name": "one", "network": _id("network"), "port": 6443}),
        "aws.balancer/one": Sample({"name": "one", "subnets": (_id("subnet"),), "public": False}),
        "aws.listener/one": Sample(
            {"name": "one", "balancer": _id("balancer"), "port": 6443, "target_group": _id("target_group")}
        ),
        "aws.machine/one": Sample({"name": "one", **machine}),
        "aws.machine/two": Sample({"name": "two", **machine}),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    lab = Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "machine"), samples)
    lab.make(Address("aws.listener", "one"))
    return lab


def _larger(lab: Lab, held: Held) -> Held:
    """A machine on record that is to be larger."""
    return evolve(held, wanted=evolve(held.applied, type="m7i.xlarge"))


def _instance(bed: Bed, held: Held) -> dict[str, Any]:
    found: dict[str, Any] = bed.client("ec2").describe_instances(InstanceIds=[held.id])["Reservations"][0]
    return dict(found["Instances"][0])


def test_a_machine_keeps_its_disk_and_its_name_with_another_type(bed: Bed, lab: Lab) -> None:
    held = lab.make(ONE)
    lab.change(held, {"type": "m7i.xlarge"})
    found = _instance(bed, held)

    assert (found["InstanceType"], found["State"]["Name"]) == ("m7i.xlarge", "running")
    assert bed.calls()["ec2:StopInstances"] == bed.calls()["ec2:StartInstances"] == 1
    assert bed.calls()["ec2:RunInstances"] == 1


def test_machines_change_their_types_one_at_a_time(bed: Bed, lab: Lab) -> None:
    """Both are called by turns as a run calls them; there is no moment at which neither runs."""
    both = [_larger(lab, lab.make(address)) for address in (ONE, TWO)]
    down: list[int] = []
    for _ in range(40):
        for held in [one for one in both if one.wanted is not None]:
            lab._step("update", held)
            down.append(sum(_instance(bed, one)["State"]["Name"] != "running" for one in both))

    assert [held.wanted for held in both] == [None, None]
    assert {_instance(bed, held)["InstanceType"] for held in both} == {"m7i.xlarge"}
    assert max(down) == 1


def test_what_was_not_asked_about_a_machine_cut_off_while_it_changes_is_not_made_up(bed: Bed, lab: Lab) -> None:
    """So a plan shows what is left of the change, and nothing besides."""
    held = _larger(lab, lab.make(ONE))
    while _instance(bed, held)["State"]["Name"] != "stopped":
        lab._step("update", held)
    held.phase = "changing"
    found = lab.read(held)

    assert isinstance(found, Seen)
    assert (found.props["type"], found.props["power"]) == ("m7i.large", "off")
    assert {"address", "targets", "root_gib"} & found.props.keys() == set()


def test_a_machine_is_not_stopped_while_another_one_is_not_well(bed: Bed, lab: Lab) -> None:
    first, second = lab.make(ONE), _larger(lab, lab.make(TWO))
    bed.health = lambda target: target.id != first.id
    told = lab.call("update", second)

    assert isinstance(told, Pending)
    assert str(first.id) in told.note
    assert bed.calls()["ec2:StopInstances"] == 0


def test_the_turn_ends_when_the_machine_is_well_again(bed: Bed, lab: Lab) -> None:
    held = _larger(lab, lab.make(ONE))
    bed.health = lambda target: False
    notes = []
    for _ in range(12):
        if isinstance(told := lab.call("update", held), Pending):
            notes.append(told.note)
        lab.passes(3.0)
    bed.health = lambda target: True

    assert notes[-1] == "it runs, and is not well at its balancers yet"
    assert isinstance(lab.call("update", held), Done)


def test_a_machine_that_cannot_have_the_type_runs_on_as_it_was(bed: Bed, lab: Lab) -> None:
    held = lab.make(ONE)
    bed.faults.script("refused", "ec2:ModifyInstanceAttribute")
    with pytest.raises(Fatal):
        lab.change(held, {"type": "m7i.xlarge"})
    bed.settle()
    found = _instance(bed, held)

    assert (found["InstanceType"], found["State"]["Name"]) == ("m7i.large", "running")
