"""Buckets that are emptied before they go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Lab, Sample
from provisioner.sdk import Address, OperatorNeeded

BUCKET = Address("aws.bucket", "one")
CLIENTS: dict[str, Any] = {}


def test_what_is_locked_is_told_and_not_tried_again_and_again(bed: Bed) -> None:
    """A lock keeps records for years, and S3 says so object by object."""
    s3, settings = bed.client("s3"), AwsSettings(region="eu-west-1", instance_role=False)
    samples = {str(BUCKET): Sample({"name": "one-bucket", "empty": True, "versioned": True})}
    lab = Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "bucket"), samples)
    place: Any = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="one-bucket", CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)
    until = datetime(2050, 1, 1, tzinfo=UTC)
    s3.put_object(Bucket="one-bucket", Key="log", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    held = lab.hold(BUCKET)
    schema = lab.schema(BUCKET)
    held = evolve(held, id="one-bucket", applied=schema.build(lab.props(BUCKET)), wanted=None)
    with pytest.raises(OperatorNeeded) as caught:
        lab.call("delete", held)

    assert "log" in caught.value.detail
    assert "lock" in caught.value.remedy
