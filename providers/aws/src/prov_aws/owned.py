"""Everything in an account and region that bears a mark of ours, in an order in which it can go.

Most disks and all interfaces come and go with their machine; they bear its mark, and are not listed by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from prov_aws.client import Aws
from prov_aws.errors import Denied
from prov_aws.kinds.balancing import SERVICE, with_tags
from prov_aws.kinds.bucket import bucket_tags
from prov_aws.kinds.tagged import Tagged
from prov_aws.made import Thing, described
from prov_aws.marks import ADDRESS, KEY, LINEAGE, tags_of
from provisioner.sdk import Fatal, Owned

_IN_ORDER = (
    "aws.dns_record",
    "aws.listener",
    "aws.security_group_rule",
    "aws.machine",
    "aws.volume",
    "aws.balancer",
    "aws.target_group",
    "aws.placement_group",
    "aws.nat_gateway",
    "aws.elastic_ip",
    "aws.route_table",
    "aws.egress_gateway",
    "aws.gateway",
    "aws.security_group",
    "aws.subnet",
    "aws.network",
    "aws.image",
    "aws.instance_profile",
    "aws.iam_role",
    "aws.bucket",
)

_BESIDE = frozenset({"aws.dns_record", "aws.image", "aws.instance_profile", "aws.iam_role", "aws.bucket"})
"""What a policy need not be about where a file has none of it."""


@frozen
class Owners:
    """Lists what is ours. `kinds` by full name; `say` hears what is left out."""

    aws: Aws
    kinds: Mapping[str, Any]
    say: Callable[[str], None]

    def all(self) -> Sequence[Owned]:
        """Everything, kind by kind; those beside a cluster only as far as they may be listed."""
        found = [owned for kind in _IN_ORDER for owned in self._allowed(kind)]
        return list({(owned.kind, owned.id): owned for owned in found}.values())

    def _allowed(self, kind: str) -> Iterator[Owned]:
        try:
            yield from self._of(kind)
        except Denied as err:
            if kind not in _BESIDE:
                raise
            self.say(f"{kind} is not looked for: {err.detail}")

    def _of(self, kind: str) -> Iterator[Owned]:
        what = kind.partition(".")[2]
        lister = getattr(self, f"_{what}s", None)
        for id_, tags in lister() if lister is not None else self._ec2(self.kinds[kind]):
            if tags.get(LINEAGE) and tags.get(KEY):
                yield Owned(kind, id_, tags[KEY], tags[LINEAGE], tags.get(ADDRESS, ""))

    def _ec2(self, kind: Tagged) -> Iterator[tuple[str, Mapping[str, str]]]:
        for thing in described(self.aws, kind.family, {"tag-key": [LINEAGE]}):
            if (thing.get("State") or {}) not in ({"Code": 32, "Name": "shutting-down"}, "deleting"):
                yield thing[kind.family.id], tags_of(thing)

    def _images(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Images, and snapshots that have not become one: the kind removes either by its key."""
        filters, known = [{"Name": "tag-key", "Values": [LINEAGE]}], set()
        for image in self.aws.pages("ec2", "describe_images", "Images", Owners=["self"], Filters=filters):
            known.add(tags_of(image).get(KEY))
            yield image["ImageId"], tags_of(image)
        for one in self.aws.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=filters):
            if tags_of(one).get(KEY) not in known:
                yield one["SnapshotId"], tags_of(one)

    def _volumes(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Disks of their own; those that go with a machine bear its address."""
        listed = self._ec2(self.kinds["aws.volume"])
        return ((id_, tags) for id_, tags in listed if tags.get(ADDRESS, "").startswith("aws.volume/"))

    def _balancers(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        return self._balancing("aws.balancer", self.aws.pages(SERVICE, "describe_load_balancers", "LoadBalancers"))

    def _target_groups(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        return self._balancing("aws.target_group", self.aws.pages(SERVICE, "describe_target_groups", "TargetGroups"))

    def _listeners(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        for arn, tags in self._balancers():
            if LINEAGE in tags:
                listed = self.aws.pages(SERVICE, "describe_listeners", "Listeners", LoadBalancerArn=arn)
                yield from self._balancing("aws.listener", listed)

    def _balancing(self, kind: str, things: Iterator[Thing]) -> Iterator[tuple[str, Mapping[str, str]]]:
        family = self.kinds[kind].family
        for thing, tags in with_tags(self.aws, family, list(things)):
            yield thing[family.id], tags_of({"Tags": tags})

    def _buckets(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        names = [one["Name"] for one in self.aws.call("s3", "list_buckets").get("Buckets", ())]
        for name in names:
            try:
                yield name, tags_of({"Tags": bucket_tags(self.aws, name)})
            except (Denied, Fatal):  # one that others of the account keep closed is none of ours
                continue

    def _iam_roles(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        roles = self.aws.pages("iam", "list_roles", "Roles")
        names = [role["RoleName"] for role in roles if not role.get("Path", "/").startswith("/aws-service-role/")]
        for name, role in self.kinds["aws.iam_role"].look(self.aws, names).items():
            yield name, tags_of(role)

    def _instance_profiles(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        profiles = self.aws.pages("iam", "list_instance_profiles", "InstanceProfiles")
        names = [profile["InstanceProfileName"] for profile in profiles]
        for name, profile in self.kinds["aws.instance_profile"].look(self.aws, names).items():
            yield name, tags_of(profile)

    def _dns_records(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        zones = [
            zone["Id"].rpartition("/")[2] for zone in self.aws.pages("route53", "list_hosted_zones", "HostedZones")
        ]
        for zone in zones:
            yield from self.kinds["aws.dns_record"].marked(self.aws, zone)
