"""`aws.security_group_rule`: one opening of a group that is somebody else's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked
from prov_aws.kinds.adopting import Adoptable
from prov_aws.made import Family, Thing
from prov_aws.rules import SELF, Opening, described, opening, openings, permission
from provisioner.sdk import Job, Value, output, prop


def _same(source: Any) -> Any:
    """A source in the one spelling."""
    return openings(({"ports": "all", "from": source},)) if isinstance(source, str) else source


@frozen(kw_only=True)
class SecurityGroupRuleProps:
    """Lets `ports`, such as `tcp/6443`, of a `group` be reached from a CIDR, a group, a prefix list or `self`."""

    name: str = prop()
    group: str = prop(immutable=True)
    ports: str = prop(immutable=True)
    source: str = prop(immutable=True, same_as=_same)
    about: str = ""
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class SecurityGroupRuleOutputs:
    """The `id`."""

    id: str = output()


class SecurityGroupRuleKind(Adoptable):
    """Single rules of security groups."""

    props: ClassVar[type[Any]] = SecurityGroupRuleProps
    outputs: ClassVar[type[Any]] = SecurityGroupRuleOutputs
    many = True
    family = Family(
        "security group rule",
        "security-group-rule",
        "describe_security_group_rules",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
        "security-group-rule-id",
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: SecurityGroupRuleProps = asked(job)
        made = aws.call(
            "ec2",
            "authorize_security_group_ingress",
            GroupId=wanted.group,
            IpPermissions=[permission(_opening(wanted), wanted.group, wanted.about)],
            TagSpecifications=self.born_with(job),
        )
        thing: Thing = made["SecurityGroupRules"][0]
        return thing

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        if thing.get("Description", "") != asked(job).about:
            change = {"SecurityGroupRuleId": thing["SecurityGroupRuleId"], "SecurityGroupRule": _body(asked(job))}
            aws.call("ec2", "modify_security_group_rules", GroupId=thing["GroupId"], SecurityGroupRules=[change])
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        ids = [thing["SecurityGroupRuleId"]]
        aws.call("ec2", "revoke_security_group_ingress", GroupId=thing["GroupId"], SecurityGroupRuleIds=ids)
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        there = described(thing)
        return {
            "group": thing["GroupId"],
            "ports": there.ports,
            "source": there.source,
            "about": thing.get("Description", ""),
        }


def _opening(wanted: SecurityGroupRuleProps) -> Opening:
    return opening({"ports": wanted.ports, "from": wanted.source})


def _body(wanted: SecurityGroupRuleProps) -> dict[str, Any]:
    """A rule in the form in which EC2 changes it, which is not the one in which it makes it."""
    what = _opening(wanted)
    ports = {} if what.protocol == "-1" else {"FromPort": what.first, "ToPort": what.last}
    source = wanted.group if what.source == SELF else what.source
    if source.startswith("sg-"):
        whom = {"ReferencedGroupId": source}
    elif source.startswith("pl-"):
        whom = {"PrefixListId": source}
    else:
        whom = {"CidrIpv6" if ":" in source else "CidrIpv4": source}
    return {"IpProtocol": what.protocol, **ports, **whom, "Description": wanted.about}
