"""The provider keeps the rules of the house, before moto.

Every change is tried with one kind of each sort; `make test-aws` tries all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider as aws_provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.kind_suite import KindSuite, Sample
from provisioner.conformance.provider_suite import ProviderSuite, Shape
from provisioner.sdk import Address, Call, Ref, Schema, Secret, Value

DISK = Path(__file__).with_name("disk.raw.gz")
"""Two MiB of which one half is zeros."""
NETWORK = {"subnets": {"another-zone": "10.0.128.0/20"}}
NAME = ".{1,255}"
CLIENTS: dict[str, Any] = {}
IMAGE = "ami-0bed0000000000001"
"""The first one that a fresh bed publishes."""


def _id(kind: str, name: str = "one", output: str = "id") -> Ref:
    return Ref(Address(f"aws.{kind}", name), output)


def _trust(service: str) -> Mapping[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def _policy(action: str) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


RECORD: dict[str, Value] = {"zone": "", "name": "one.example.org", "values": ("192.0.2.1",)}
ALIAS: dict[str, Value] = {
    "zone": "",
    "name": "alias.example.org",
    "host": "one.elb.eu-west-1.amazonaws.com",
    "host_zone": "Z2IFOLAFXWLO4F",
}
"""Their zone is another one each time."""
_RENAMED: Mapping[str, Value] = {"name": "other", "tags": {"of": "ours"}}


class Kinds(KindSuite):
    """The kinds, and what they are tried on."""

    provider = aws_provider
    samples: ClassVar[Mapping[str, Sample]] = {
        "aws.network/one": Sample(
            {"name": "one", "cidr": "10.1.0.0/16"}, changed={**_RENAMED, "dns_names": False, "ipv6": True}
        ),
        "aws.subnet/one": Sample(
            {"name": "one", "network": _id("network"), "cidr": "10.1.0.0/20", "zone": "a"},
            changed={**_RENAMED, "public": True},
        ),
        "aws.subnet/other": Sample(
            {"name": "other", "network": _id("network"), "cidr": "10.1.16.0/20", "zone": "b"}, changed=_RENAMED
        ),
        "aws.network/six": Sample({"name": "six", "cidr": "10.2.0.0/16", "ipv6": True}, changed=_RENAMED),
        "aws.subnet/six": Sample(
            {"name": "six", "network": _id("network", "six"), "cidr": "10.2.0.0/20", "zone": "a"},
            changed={**_RENAMED, "ipv6_cidr": Call("aws.subnet6", (_id("network", "six", "ipv6_cidr"), 1))},
        ),
        "aws.gateway/one": Sample({"name": "one", "network": _id("network")}, changed=_RENAMED),
        "aws.egress_gateway/one": Sample({"name": "one", "network": _id("network")}, changed=_RENAMED),
        "aws.elastic_ip/one": Sample({"name": "one"}, changed=_RENAMED),
        "aws.nat_gateway/one": Sample(
            {"name": "one", "subnet": _id("subnet"), "address": _id("elastic_ip")}, changed=_RENAMED
        ),
        "aws.route_table/one": Sample(
            {
                "name": "one",
                "network": _id("network"),
                "routes": {"0.0.0.0/0": _id("gateway")},
                "subnets": (_id("subnet"),),
            },
            changed={
                **_RENAMED,
                "routes": {"0.0.0.0/0": _id("nat_gateway"), "192.0.2.0/24": _id("gateway")},
                "subnets": (_id("subnet", "other"),),
            },
        ),
        "aws.security_group/one": Sample(
            {
                "name": "one",
                "network": _id("network"),
                "rules": (
                    {"ports": "tcp/6443", "from": "203.0.113.7/32", "for": "operators"},
                    {"ports": "udp/4789", "from": "self", "for": "pods"},
                ),
            },
            changed={
                **_RENAMED,
                "rules": (
                    {"ports": "tcp/6443", "from": "203.0.113.8/32", "for": "operators"},
                    {"ports": "udp/4789", "from": "self", "for": "pods"},
                    {"ports": "all", "from": "10.1.0.0/16", "for": "all"},
                ),
                "outgoing": (
                    {"ports": "tcp/443", "to": "0.0.0.0/0", "for": "images"},
                    {"ports": "all", "to": "self"},
                ),
            },
        ),
        "aws.security_group/other": Sample({"name": "other", "network": _id("network")}, changed=_RENAMED),
        "aws.security_group_rule/one": Sample(
            {"name": "one", "group": _id("security_group"), "ports": "tcp/22", "source": "203.0.113.9/32"},
            changed={**_RENAMED, "about": "by hand"},
        ),
        "aws.balancer/one": Sample(
            {"name": "one", "subnets": (_id("subnet"),), "security_groups": (_id("security_group"),)},
            changed={
                **_RENAMED,
                "subnets": (_id("subnet"), _id("subnet", "other")),
                "security_groups": (),
                "cross_zone": True,
                "ipv6": True,
            },
        ),
        "aws.target_group/one": Sample(
            {"name": "one", "network": _id("network"), "port": 6443},
            changed={**_RENAMED, "client_ip": True, "drain_s": 60, "check_s": 30},
        ),
        "aws.target_group/other": Sample(
            {"name": "other", "network": _id("network"), "port": 50000}, changed=_RENAMED
        ),
        "aws.listener/one": Sample(
            {"name": "one", "balancer": _id("balancer"), "port": 6443, "target_group": _id("target_group")},
            changed={**_RENAMED, "target_group": _id("target_group", "other")},
        ),
        "aws.volume/one": Sample(
            {"name": "one", "zone": "a", "size_gib": 5},
            changed={**_RENAMED, "size_gib": 6, "type": "io2", "iops": 3000, "throughput": 0},
        ),
        "aws.placement_group/one": Sample({"name": "one", "strategy": "spread"}, changed=_RENAMED),
        "aws.image/one": Sample({"name": "one", "url": DISK.as_uri(), "size_gib": 1}, changed=_RENAMED),
        "aws.bucket/one": Sample(
            {"name": "one-bucket"}, changed={"tags": {"of": "ours"}, "versioned": True, "empty": True}
        ),
        "aws.dns_record/one": Sample(
            RECORD, changed={"values": ("192.0.2.2", "192.0.2.1"), "ttl": 60, "host": "", "host_zone": ""}
        ),
        "aws.dns_record/alias": Sample(
            ALIAS, changed={"host": "two.elb.eu-west-1.amazonaws.com", "host_zone": "Z2IFOLAFXWLO4F"}
        ),
        "aws.iam_role/one": Sample(
            {"name": "one", "trust": _trust("ec2.amazonaws.com"), "policies": {"read": _policy("s3:GetObject")}},
            changed={
                "trust": _trust("lambda.amazonaws.com"),
                "policies": {"read": _policy("s3:ListBucket"), "write": _policy("s3:PutObject")},
                "managed": ("arn:aws:iam::123456789012:policy/shared",),
                "tags": {"of": "ours"},
            },
        ),
        "aws.iam_role/other": Sample(
            {"name": "other", "trust": _trust("ec2.amazonaws.com")}, changed={"tags": {"of": "ours"}}
        ),
        "aws.instance_profile/one": Sample(
            {"name": "one", "role": _id("iam_role")},
            changed={"role": _id("iam_role", "other"), "tags": {"of": "ours"}},
        ),
        "aws.existing_network/one": Sample({"network": _id("network")}, changed={"network": "vpc-0123456789abcdef0"}),
        "aws.existing_subnet/one": Sample(
            {"network": _id("network"), "zone": _id("subnet", output="zone"), "public": False},
            changed={"public": True},
        ),
        "aws.published_image/one": Sample({"version": "v1.13.9", "arch": "arm64"}, changed={"version": "v0.1.0"}),
        "aws.machine_types/one": Sample(
            {"types": {"m7i.large": ("a", "b")}}, changed={"types": {"m7g.large": ("a",)}}
        ),
        "aws.machine/one": Sample(
            {
                "name": "one",
                "type": "m7i.large",
                "image": IMAGE,
                "subnet": _id("subnet"),
                "security_groups": (_id("security_group"),),
                "user_data": Secret("planted-user-data"),
                "root_gib": 20,
                "targets": (_id("target_group"),),
            },
            changed={
                **_RENAMED,
                "type": "m7i.xlarge",
                "power": "off",
                "root_gib": 30,
                "targets": (_id("target_group", "other"),),
                "address": _id("elastic_ip"),
                "security_groups": (_id("security_group", "other"),),
                "hop_limit": 2,
                "disks": {"/dev/sdf": _id("volume")},
                "profile": _id("instance_profile"),
            },
        ),
    }

    @pytest.fixture
    def cloud(
        self, bed: Bed, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> AwsRemote:
        callspec = getattr(request.node, "callspec", None)
        target = callspec.params.get("target") if callspec is not None else None
        zone = bed.client("route53").create_hosted_zone(Name="example.org", CallerReference="one")["HostedZone"]["Id"]
        bed.client("iam").create_policy(PolicyName="shared", PolicyDocument=json.dumps(_policy("s3:ListBucket")))
        RECORD["zone"] = ALIAS["zone"] = zone.rpartition("/")[2]
        monkeypatch.setenv("PROV_CACHE", str(tmp_path / "cache"))
        assert bed.publish_talos("v1.13.9")["x86_64"] == IMAGE
        return AwsRemote(bed, target.kind.partition(".")[2] if target else "")

    @pytest.fixture
    def settings(self, bed: Bed) -> Mapping[str, Any]:
        return {"region": "eu-west-1", "instance_role": False, "operators": ("203.0.113.7/32",), "network": NETWORK}

    @pytest.fixture
    def connect(self, settings: Mapping[str, Value]) -> Callable[[], Aws]:
        """Connections that forget all but the clients of botocore, which take long to make."""
        schema = Schema.of(AwsSettings)
        return lambda: Aws(schema.build(schema.normal(settings)), clients=CLIENTS)


OF_EACH_SORT = frozenset(
    {
        "aws.elastic_ip/one",
        "aws.security_group/one",
        "aws.target_group/one",
        "aws.dns_record/one",
        "aws.iam_role/other",
        "aws.existing_network/one",
    }
)
"""Tagged as it is made, with parts of its own, tagged apart, without tags, named, and looked up."""


class TestAws(Kinds, ProviderSuite):
    """The provider, and a kind of each sort."""

    shape = Shape(size="m7i.large")
    names: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (f"{kind}.name" for kind in aws_provider.kinds if not kind.startswith("aws.existing")), NAME
    )
    tried = OF_EACH_SORT


@pytest.mark.aws
@pytest.mark.timeout(900)
class TestAllOtherKinds(Kinds):
    """The kinds that not every change is tried with."""

    tried = frozenset(Kinds.samples) - OF_EACH_SORT
