"""Objects for which AWS has no client token are made once, though answers get lost and listings lag behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from beds.aws.bed import Bed, Record
from beds.aws.holds import Pace
from fakes.aws_remote import SORTS, AwsRemote, is_ours
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Lab, Sample
from provisioner.sdk import Address, Done, Fatal, Pending, Ref, Seen, Unreachable

KINDS = ("network", "elastic_ip", "gateway", "security_group", "route_table")
CLIENTS: dict[str, Any] = {}


@pytest.fixture
def lab_of(bed: Bed) -> Callable[[str], Lab]:
    """A laboratory for a kind, in a network of somebody else's; what is made shows at the third look only."""
    network = bed.client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    props: dict[str, Any] = {"network": {"cidr": "10.2.0.0/16"}, "elastic_ip": {}}

    def make(kind: str) -> Lab:
        sample = Sample({"name": "one", **props.get(kind, {"network": network})})
        settings = AwsSettings(region="eu-west-1", instance_role=False)
        return Lab(
            provider,
            lambda: Aws(settings, clients=CLIENTS),
            AwsRemote(bed, kind),
            {f"aws.{kind}/one": sample},
        )

    return make


@pytest.mark.parametrize("dropped", [False, True], ids=["same-process", "next-process"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_answer_and_a_listing_that_lags_make_no_second_one(
    bed: Bed, lab_of: Callable[[str], Lab], kind: str, dropped: bool
) -> None:
    """Whoever goes on waits until what the first call made would be listed."""
    lab, sort = lab_of(kind), SORTS[kind]
    there = lab.remote.existing()
    bed.unseen = Pace(polls=3)
    bed.faults.script("lost", f"{sort.service}:{sort.create}")
    held = lab.hold(Address(f"aws.{kind}", "one"))
    while not _asked(bed, sort.create):
        lab._step("create", held)
    if dropped:
        lab.drop()
    lab.finish("create", held)
    bed.settle()

    assert lab.remote.existing() - there == {held.outputs.id}
    assert _asked(bed, sort.create) == 1


def _asked(bed: Bed, action: str) -> int:
    """How often prov has asked for one."""
    return sum(1 for record in bed.records if is_ours(record) and record.call.action == action)


def test_the_first_call_needs_no_look(bed: Bed, lab_of: Callable[[str], Lab]) -> None:
    """What was put on record in this process and not asked for yet cannot be there."""
    lab = lab_of("elastic_ip")
    held = lab.hold(Address("aws.elastic_ip", "one"))
    told = lab.call("create", held)
    assert isinstance(told, Pending)
    held.phase, held.memo = told.phase, told.memo

    assert isinstance(lab.call("create", held), Done)
    assert bed.calls()["ec2:DescribeAddresses"] == 0


BY_ID, BY_TAGS = ["allocation-id"], ["tag:prov:lineage", "tag:prov:key"]


@pytest.mark.parametrize(
    ("phase", "known", "filters"),
    [("made", True, [BY_ID]), ("made", False, [BY_TAGS]), ("", True, [BY_TAGS])],
    ids=["in-the-making", "answer-lost", "settled"],
)
def test_what_is_in_the_making_is_asked_for_by_its_id(
    bed: Bed, lab_of: Callable[[str], Lab], phase: str, known: bool, filters: list[list[str]]
) -> None:
    """So AWS need not go through all that there is for the few that are."""
    lab = lab_of("elastic_ip")
    held = lab.make(Address("aws.elastic_ip", "one"))
    held.phase, held.id = phase, held.id if known else None
    before = len(bed.records)
    found = lab.read(held)

    assert isinstance(found, Seen)
    assert [_filters(record) for record in bed.records[before:]] == filters


def _filters(record: Record) -> list[str]:
    return [each["Name"] for each in record.call.params["Filters"]]


def test_a_listing_that_fails_is_not_made_up_for_one_by_one(bed: Bed, lab_of: Callable[[str], Lab]) -> None:
    """What a run of hundreds waits for together is waited for, also where AWS did not answer."""
    lab = lab_of("elastic_ip")
    held, gone = lab.hold(Address("aws.elastic_ip", "one")), lab.make(Address("aws.elastic_ip", "one"))
    held.id, held.phase, held.seen = "eipalloc-0123456789abcdef0", "made", Unreachable("AWS does not answer")
    gone.applied, gone.wanted = gone.applied, None
    gone.phase, gone.seen = "looking", Unreachable("AWS does not answer")
    before = bed.calls()
    told = [lab.call("create", held), lab.call("delete", gone)]

    assert [isinstance(one, Pending) and "does not answer" in one.note for one in told] == [True, True]
    assert bed.calls() == before


def test_what_was_refused_is_asked_for_again_at_once(bed: Bed, lab_of: Callable[[str], Lab]) -> None:
    """A call that was throttled made nothing, so nothing has to be waited for."""
    lab = lab_of("elastic_ip")
    held = lab.hold(Address("aws.elastic_ip", "one"))
    bed.faults.script("throttled", "ec2:AllocateAddress", times=2)
    begun = lab.process.clock.now()
    lab.finish("create", held)

    assert bed.calls()["ec2:AllocateAddress"] == 3
    assert (lab.process.clock.now() - begun).total_seconds() < 5


def test_what_refers_to_something_new_is_patient_but_not_for_ever(bed: Bed, lab_of: Callable[[str], Lab]) -> None:
    """AWS may not know yet what this process made a moment ago; after two minutes it never will."""
    network = "vpc-0123456789abcdef0"

    assert 115 <= _patience(lab_of("route_table"), network, born=True) <= 130


def test_what_the_file_names_and_nobody_made_is_not_waited_for(bed: Bed, lab_of: Callable[[str], Lab]) -> None:
    """Only as long as listings may lag behind."""
    assert _patience(lab_of("route_table"), "vpc-0123456789abcdef0") <= 20


@pytest.mark.parametrize(("most", "image"), [(20, "ami-0123456789abcdef0"), (1, "ami-of-mine")])
def test_an_image_that_is_not_there_is_told_soon(bed: Bed, most: int, image: str) -> None:
    """With the id in the error, though the machine's subnet has just been made; at once where it can be no id."""
    samples = {
        "aws.network/one": Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        "aws.subnet/one": Sample(
            {"name": "one", "network": Ref(Address("aws.network", "one"), "id"), "cidr": "10.1.0.0/20", "zone": "a"}
        ),
        "aws.machine/one": Sample(
            {
                "name": "one",
                "type": "m7i.large",
                "image": image,
                "subnet": Ref(Address("aws.subnet", "one"), "id"),
            }
        ),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    lab = Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "machine"), samples)
    held = lab.hold(Address("aws.machine", "one"))
    begun = lab.process.clock.now()
    with pytest.raises(Fatal) as caught:
        lab.finish("create", held)

    assert (lab.process.clock.now() - begun).total_seconds() <= most
    assert image in caught.value.detail
    assert "correct what the file names" in caught.value.remedy


def test_a_target_group_that_is_not_there_is_told_soon(bed: Bed) -> None:
    """Also where the machine itself has been made: it stays on record, and is not waited for without end."""
    ec2 = bed.client("ec2")
    network = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.1.0.0/20")["Subnet"]["SubnetId"]
    group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/0123456789abcdef"
    image = bed.publish_talos("v1.13.9")["x86_64"]
    props = {"name": "one", "type": "m7i.large", "image": image, "subnet": subnet, "targets": (group,)}
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    lab = Lab(
        provider,
        lambda: Aws(settings, clients=CLIENTS),
        AwsRemote(bed, "machine"),
        {"aws.machine/one": Sample(props)},
    )
    begun = lab.process.clock.now()
    with pytest.raises(Fatal) as caught:
        lab.make(Address("aws.machine", "one"))

    assert (lab.process.clock.now() - begun).total_seconds() <= 60
    assert caught.value.effect


def _patience(lab: Lab, network: str, *, born: bool = False) -> float:
    """How long a route table for a network that AWS does not know is tried for, in seconds."""
    lab.samples = {"aws.route_table/one": Sample({"name": "one", "network": network})}
    begun = lab.process.clock.now()
    if born:
        lab.client().born[network] = begun
    with pytest.raises(Fatal):
        lab.make(Address("aws.route_table", "one"))
    return (lab.process.clock.now() - begun).total_seconds()
