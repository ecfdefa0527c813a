"""What bears our marks is listed, as far as it may be listed."""

from __future__ import annotations

from typing import Any

import pytest
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.errors import Denied
from prov_aws.settings import AwsSettings

from provisioner.conformance.fakes import FakeContext
from provisioner.conformance.lab import Lab, Sample
from provisioner.sdk import Address

NETWORK, BUCKET = Address("aws.network", "one"), Address("aws.bucket", "one")
CLIENTS: dict[str, Any] = {}


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """A network and a bucket of ours, and a bucket of somebody else's."""
    samples = {
        str(NETWORK): Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        str(BUCKET): Sample({"name": "one-bucket"}),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    lab = Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "network"), samples)
    place: Any = {"LocationConstraint": "eu-west-1"}
    bed.client("s3").create_bucket(Bucket="audit-logs", CreateBucketConfiguration=place)
    lab.make(NETWORK)
    lab.make(BUCKET)
    return lab


def _listed(lab: Lab) -> tuple[set[str], list[str]]:
    """The kinds of what is listed, and what was said."""
    context = FakeContext()
    found = provider.list_owned(lab.client(), context.about(""))
    return {owned.kind for owned in found}, list(context.said)


def test_what_a_policy_says_nothing_about_is_left_out_and_told(bed: Bed, lab: Lab) -> None:
    """So that machines of a lost state are found without rights to names, roles and buckets."""
    for action in ("route53:*", "iam:*", "s3:*"):
        bed.faults.script("denied", action, times=9)
    kinds, said = _listed(lab)

    assert kinds == {"aws.network"}
    told = {line.partition(" ")[0] for line in said}
    assert told == {"aws.dns_record", "aws.iam_role", "aws.instance_profile", "aws.bucket"}


def test_a_bucket_that_is_closed_to_us_does_not_hide_others(bed: Bed, lab: Lab) -> None:
    """Accounts have such as keep the records of audits."""
    bed.faults.script("denied", "s3:GetBucketTagging")
    kinds, said = _listed(lab)

    assert kinds == {"aws.network", "aws.bucket"}
    assert said == []


def test_what_clusters_consist_of_has_to_be_listed(bed: Bed, lab: Lab) -> None:
    """Else nobody could tell that something is left."""
    bed.faults.script("denied", "ec2:DescribeVpcs")
    with pytest.raises(Denied):
        _listed(lab)
