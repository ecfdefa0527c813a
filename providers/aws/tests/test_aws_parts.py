"""The small parts of the aws provider, each on its own."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import pytest
from beds.aws.bed import Bed
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from prov_aws.blocks import SIZE, Sending
from prov_aws.client import Aws
from prov_aws.errors import Busy, Denied, Mismatch, Missing, Taken, translated
from prov_aws.functions import subnet4, subnet6
from prov_aws.kinds.bucket import BucketKind
from prov_aws.names import arch_of, cut, remote_name, short_zone, whole_zone
from prov_aws.rules import opening, openings, permission
from prov_aws.settings import AwsSettings
from prov_aws.userdata import packed

from provisioner.sdk import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry, Throttled

KEY = "01k0zzzzzzzzzzabcdefghijkl"


def _client_error(code: str, status: int = 400, text: str = "it said so") -> boto.ClientError:
    answer: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return boto.ClientError(answer, "CreateVpc")


@pytest.mark.parametrize(
    ("expected", "err"),
    [
        (Throttled, _client_error("RequestLimitExceeded", 503)),
        (Throttled, _client_error("Anything", 429)),
        (Denied, _client_error("UnauthorizedOperation", 403)),
        (OperatorNeeded, _client_error("ExpiredToken")),
        (OperatorNeeded, _client_error("VpcLimitExceeded")),
        (OperatorNeeded, _client_error("InsufficientInstanceCapacity", 500)),
        (OperatorNeeded, boto.NoCredentialsError()),
        (OperatorNeeded, boto.NoRegionError()),
        (Busy, _client_error("DependencyViolation")),
        (Taken, _client_error("InvalidGroup.Duplicate")),
        (Missing, _client_error("InvalidVpcID.NotFound")),
        (Missing, _client_error("NoSuchBucket", 404)),
        (Missing, _client_error("Gateway.NotAttached")),
        (Mismatch, _client_error("IdempotentInstanceTerminated")),
        (Retry, _client_error("InternalError", 500)),
        (Fatal, _client_error("InvalidParameterValue")),
        (EndpointDown, boto.ReadTimeoutError(endpoint_url="https://ec2")),
        (EndpointDown, boto.EndpointConnectionError(endpoint_url="https://ec2")),
        (Retry, ResponseParserError()),
        (OperatorNeeded, boto.SSOTokenLoadError(error_msg="no token")),
        (OperatorNeeded, boto.MetadataRetrievalError(error_msg="no answer")),
        (OperatorNeeded, boto.InvalidRegionError(region_name="eu west")),
        (OperatorNeeded, boto.SSLError(endpoint_url="https://ec2", error="certificate verify failed")),
        (OperatorNeeded, _client_error("PendingVerification")),
        (OperatorNeeded, _client_error("OperationNotPermitted", text="Modify its 'disableApiTermination' attribute")),
        (OperatorNeeded, _client_error("OperationNotPermitted", text="deletion protection is enabled")),
        (OperatorNeeded, _client_error("Unsupported", text="not supported in your requested Availability Zone")),
        (Fatal, _client_error("Unsupported", text="the instance configuration is not supported")),
        (Fatal, _client_error("VolumeModificationRateExceeded")),
        (Busy, _client_error("InvalidTarget", text="targets are not in a running state and cannot be registered")),
        (Missing, _client_error("InvalidTarget", text="the instance IDs are not valid")),
        (Missing, _client_error("InvalidSecurityGroup", text="One or more security groups are invalid")),
        (Missing, _client_error("ValidationError", text="The VPC ID 'vpc-0123456789abcdef0' is not found")),
        (Fatal, _client_error("ValidationError", text="A port must be specified")),
    ],
)
def test_each_error_becomes_one_of_ours(expected: type[ProviderError], err: Exception) -> None:
    found = translated(err, "ec2", "CreateVpc")

    assert type(found) is expected
    assert found.remedy or isinstance(found, Retry)


def test_a_missing_permission_is_named_as_policies_name_it() -> None:
    """By the service's own name there, and without the part that only an administrator can open."""
    text = "You are not authorized. Encoded authorization failure message: abcdef"
    found = translated(_client_error("AccessDenied", 403, text), "elbv2", "CreateListener")

    assert found.remedy == "allow elasticloadbalancing:CreateListener to the user or role that prov runs as"
    assert "abcdef" not in found.detail


@pytest.mark.parametrize(
    ("remedy", "code", "text", "operation"),
    [
        ("set the clock of this machine right", "RequestExpired", "Request has expired.", "CreateVpc"),
        ("set the clock", "SignatureDoesNotMatch", "Signature not yet current: 20261130 is later", "CreateVpc"),
        ("allow kms:CreateGrant to", "AccessDenied", "u is not authorized to perform: kms:CreateGrant", "CreateVpc"),
        ("ask who keeps that", "AccessDenied", "with an explicit deny in a service control policy", "CreateVpc"),
        ("allow sts:AssumeRole to", "AccessDenied", "User is not authorized", "AssumeRole"),
        ("enabled the region", "AuthFailure", "AWS was not able to validate the provided credentials", "CreateVpc"),
        ("share it with the account", "AuthFailure", "Not authorized for images: [ami-0123456789]", "CreateVpc"),
    ],
)
def test_a_refusal_says_what_helps(remedy: str, code: str, text: str, operation: str) -> None:
    """AWS has one code for things of several causes, and names another permission than that of the call."""
    answer: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    found = translated(boto.ClientError(answer, operation), "ec2", "CreateVpc")

    assert remedy in found.remedy


def test_an_address_that_aws_still_holds_is_waited_for() -> None:
    """What leaves a NAT gateway or balancer is denied for a while, and would go on to cost money."""
    text = "You do not have permission to access the specified resource."
    held = translated(_client_error("AuthFailure", text=text), "ec2", "ReleaseAddress")
    strange = translated(_client_error("AuthFailure", text=text), "ec2", "AssociateAddress")

    assert (type(held), type(strange)) == (Busy, Fatal)


def test_a_region_that_does_not_exist_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers there, however long one waits."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(OperatorNeeded) as caught:
        Aws(AwsSettings(region="eu-wset-1")).call("ec2", "describe_vpcs")

    assert "eu-wset-1" in caught.value.detail
    assert "eu-west-1" in caught.value.remedy


def test_what_was_given_does_not_enter_a_complaint_about_parameters() -> None:
    report = "\nInvalid type for parameter UserData, value: a secret, type: <class 'int'>, valid types: <class 'str'>"
    found = translated(boto.ParamValidationError(report=report), "ec2", "RunInstances")

    assert "UserData" in found.detail
    assert "a secret" not in found.detail


@pytest.mark.parametrize(
    ("expected", "size"),
    [
        ("amd64", "m7i.large"),
        ("arm64", "m7g.large"),
        ("arm64", "c7gn.16xlarge"),
        ("arm64", "x2gd.metal"),
        ("arm64", "im4gn.large"),
        ("arm64", "a1.medium"),
        ("arm64", "t4g.small"),
        ("amd64", "g4dn.xlarge"),
        ("amd64", "g6.xlarge"),
        ("arm64", "g5g.xlarge"),
        ("amd64", "u-6tb1.metal"),
        ("amd64", ""),
    ],
)
def test_the_architecture_shows_in_the_size(expected: str, size: str) -> None:
    assert arch_of(size) == expected


def test_names_are_unique_and_fit() -> None:
    name = remote_name("a cluster with a long name, and more", KEY, 32)

    assert len(name) <= 32
    assert name.endswith(f"-{KEY[-10:]}")
    assert cut("x" * 40, 20) != cut("x" * 41, 20)


def test_zones_are_letters_where_they_can_be() -> None:
    assert [whole_zone(zone, "eu-west-1") for zone in ("a", "eu-west-1b")] == ["eu-west-1a", "eu-west-1b"]
    assert [short_zone(zone, "us-east-1") for zone in ("us-east-1a", "us-east-1-bos-1a")] == ["a", "us-east-1-bos-1a"]


def test_networks_are_parted_without_overlap() -> None:
    assert [subnet4("10.0.0.0/16", 4, n) for n in (0, 1, 15)] == ["10.0.0.0/20", "10.0.16.0/20", "10.0.240.0/20"]
    assert subnet6("2001:db8:0:100::/56", 8) == "2001:db8:0:108::/64"
    with pytest.raises(ValueError, match="has no subnet 256"):
        subnet6("2001:db8:0:100::/56", 256)


def test_rules_are_compared_without_order_words_and_spelling() -> None:
    one = ({"ports": "tcp/6443", "from": "10.0.0.5/8", "for": "a"}, {"ports": "all", "from": "self"})
    other = ({"ports": "all", "from": "self", "for": "b"}, {"ports": "tcp/6443-6443", "from": "10.0.0.0/8"})

    assert openings(one) == openings(other)


@pytest.mark.parametrize(
    ("source", "field", "expected"),
    [
        ("self", "UserIdGroupPairs", [{"GroupId": "sg-own", "Description": "x"}]),
        ("sg-1", "UserIdGroupPairs", [{"GroupId": "sg-1", "Description": "x"}]),
        ("pl-1", "PrefixListIds", [{"PrefixListId": "pl-1", "Description": "x"}]),
        ("2001:db8::/32", "Ipv6Ranges", [{"CidrIpv6": "2001:db8::/32", "Description": "x"}]),
        ("10.0.0.0/8", "IpRanges", [{"CidrIp": "10.0.0.0/8", "Description": "x"}]),
    ],
)
def test_a_source_goes_where_ec2_wants_it(source: str, field: str, expected: Any) -> None:
    asked = permission(opening({"ports": "tcp/22", "from": source}), "sg-own", "x")

    assert asked == {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, field: expected}


def test_user_data_is_the_same_each_time_and_opens_again() -> None:
    assert packed("machine: {}\n") == packed("machine: {}\n")
    assert gzip.decompress(packed("machine: {}\n")) == b"machine: {}\n"


def test_user_data_that_cannot_fit_is_refused_before_anything_is_made() -> None:
    chance = random.Random(0)
    with pytest.raises(Fatal) as caught:
        packed("".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=40_000)))

    assert "16384" in caught.value.detail
    assert not caught.value.effect
    assert caught.value.remedy


def test_blocks_of_zeros_are_left_out_and_those_that_arrived_not_sent_again(bed: Bed, tmp_path: Path) -> None:
    """Of five blocks two are zeros and one has arrived before: two are sent, three count."""
    disk = tmp_path / "disk.raw"
    disk.write_bytes(b"a" * SIZE + bytes(SIZE) + b"b" * SIZE + bytes(SIZE) + b"c" * 10)
    aws = Aws(AwsSettings(region="eu-west-1"))
    snapshot = aws.call("ebs", "start_snapshot", VolumeSize=1)["SnapshotId"]
    parts: list[float] = []
    count = Sending(aws, snapshot, disk, {0}).all(parts.append)
    sent = [record for record in bed.records if record.call.action == "PutSnapshotBlock"]

    assert (count, len(sent)) == (3, 2)
    assert parts[-1] == 1.0


@pytest.mark.parametrize(
    "role", ["arn:aws:iam::210987654321:role/prov", {"arn": "arn:aws:iam::210987654321:role/prov"}]
)
def test_a_role_is_acted_as(bed: Bed, role: Any) -> None:
    """Calls go to the account of the role, and what is made is there and not here."""
    acting = Aws(AwsSettings(region="eu-west-1", assume_role=role, instance_role=False))
    here = Aws(AwsSettings(region="eu-west-1", instance_role=False))
    made = acting.call("ec2", "create_vpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]

    assert made in _networks(acting)
    assert made not in _networks(here)


def test_web_identity_is_taken_from_the_environment(
    bed: Bed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a job of a CI service: a token in a file, and a role."""
    token = tmp_path / "token"
    token.write_text("header.payload.signature")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::210987654321:role/ci")
    aws = Aws(AwsSettings(region="eu-west-1", instance_role=False))

    assert len(_networks(aws)) == 1
    assert bed.calls()["sts:AssumeRoleWithWebIdentity"] == 1


def test_a_profile_that_is_not_there_is_told(bed: Bed) -> None:
    with pytest.raises(OperatorNeeded) as caught:
        Aws(AwsSettings(profile="nobody", region="eu-west-1")).call("ec2", "describe_vpcs")

    assert "nobody" in caught.value.detail


@pytest.mark.parametrize(
    ("partition", "end", "region"),
    [
        ("aws", "amazonaws.com", "eu-west-1"),
        ("aws-us-gov", "amazonaws.com", "us-gov-west-1"),
        ("aws-cn", "amazonaws.com.cn", "cn-north-1"),
    ],
)
def test_a_bucket_is_called_as_its_partition_has_it(bed: Bed, partition: str, end: str, region: str) -> None:
    """In China and in GovCloud names and ARNs are others."""
    told = BucketKind().tell(Aws(AwsSettings(region=region)), {"Name": "one"}, None)

    assert told == {"id": "one", "arn": f"arn:{partition}:s3:::one", "host": f"one.s3.{region}.{end}"}


def test_a_region_is_asked_for(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(OperatorNeeded) as caught:
        Aws(AwsSettings()).call("ec2", "describe_vpcs")

    assert "region" in caught.value.remedy


def test_services_answer_where_the_file_says(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint of one service goes before that of all."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    settings = AwsSettings(region="eu-west-1", endpoint_url="http://127.0.0.1:1", endpoints={"ec2": bed.url})
    aws = Aws(settings)

    assert len(_networks(aws)) == 1
    with pytest.raises(EndpointDown):
        aws.call("elbv2", "describe_load_balancers")


def _networks(aws: Aws) -> set[str]:
    return {one["VpcId"] for one in aws.pages("ec2", "describe_vpcs", "Vpcs")}
