"""`aws.security_group`: what may reach machines and balancers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Taken
from prov_aws.jobs import asked
from prov_aws.kinds.tagged import Tagged
from prov_aws.made import Family, Thing, as_filters
from prov_aws.marks import KEY, tags_of
from prov_aws.names import remote_name
from prov_aws.rules import as_rule, described, opening, openings, permission
from provisioner.sdk import FieldChange, Job, Value, output, prop

_LONGEST = 255
_AT_ONCE = 200
"""How many groups a filter takes."""


@frozen(kw_only=True)
class SecurityGroupProps:
    """A group of a network. `rules` are all that it lets in; what else is found is closed again.

    Rules that are objects of their own (`aws.security_group_rule`) do not count. Everything may go out.
    """

    name: str = prop()
    network: str = prop(immutable=True)
    about: str = prop(birth=True, default="made by prov")
    rules: tuple[Mapping[str, str], ...] = prop(default=(), same_as=openings)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class SecurityGroupOutputs:
    """The `id`."""

    id: str = output()


class SecurityGroupKind(Tagged):
    """Security groups with their rules."""

    props: ClassVar[type[Any]] = SecurityGroupProps
    outputs: ClassVar[type[Any]] = SecurityGroupOutputs
    grave = frozenset({"rules"})
    family = Family(
        "security group", "security-group", "describe_security_groups", "SecurityGroups", "GroupId", "group-id"
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: SecurityGroupProps = asked(job)
        made = aws.call(
            "ec2",
            "create_security_group",
            GroupName=remote_name(wanted.name, job.key, _LONGEST),
            Description=wanted.about,
            VpcId=wanted.network,
            TagSpecifications=self.born_with(job),
        )
        tags = self.born_with(job)[0]["Tags"]
        return {"GroupId": made["GroupId"], "Tags": tags, "VpcId": wanted.network, "Description": wanted.about}

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        there = {described(rule): rule for rule in _rules(aws, [thing["GroupId"]])}
        wanted = {opening(rule): rule.get("for", "") for rule in asked(job).rules}
        self._open(aws, thing["GroupId"], {what: text for what, text in wanted.items() if what not in there})
        self._close(aws, thing["GroupId"], [rule for what, rule in there.items() if what not in wanted])
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call("ec2", "delete_security_group", GroupId=thing["GroupId"])
        return ""

    def closer(self, aws: Aws, things: Sequence[Thing]) -> Mapping[str, Any]:
        return _by_group(_rules(aws, [thing["GroupId"] for thing in things]))

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        rules = tuple(as_rule(described(rule), rule.get("Description", "")) for rule in more or ())
        return {"network": thing["VpcId"], "about": thing["Description"], "rules": rules}

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        return "changes what is let in" if any(change.path[0] == "rules" for change in changes) else ""

    def _open(self, aws: Aws, id_: str, wanted: Mapping[Any, str]) -> None:
        if not wanted:
            return
        permissions = [permission(what, id_, text) for what, text in sorted(wanted.items())]
        try:
            aws.call("ec2", "authorize_security_group_ingress", GroupId=id_, IpPermissions=permissions)
        except Taken:  # some were opened by a call whose answer was lost, and are not listed yet
            for one in permissions:
                _open_one(aws, id_, one)

    def _close(self, aws: Aws, id_: str, surplus: Sequence[Thing]) -> None:
        ids = [rule["SecurityGroupRuleId"] for rule in surplus]
        if ids:
            aws.call("ec2", "revoke_security_group_ingress", GroupId=id_, SecurityGroupRuleIds=ids)


def _open_one(aws: Aws, id_: str, one: Mapping[str, Any]) -> None:
    try:
        aws.call("ec2", "authorize_security_group_ingress", GroupId=id_, IpPermissions=[one])
    except Taken:
        return


def _rules(aws: Aws, ids: Sequence[str]) -> list[Thing]:
    """What groups let in, but for rules that are objects of their own."""
    found: list[Thing] = []
    for start in range(0, len(ids), _AT_ONCE):
        filters = as_filters({"group-id": ids[start : start + _AT_ONCE]})
        found += aws.pages("ec2", "describe_security_group_rules", "SecurityGroupRules", Filters=filters)
    return [rule for rule in found if not rule.get("IsEgress") and KEY not in tags_of(rule)]


def _by_group(rules: Sequence[Thing]) -> Mapping[str, list[Thing]]:
    groups: dict[str, list[Thing]] = defaultdict(list)
    for rule in rules:
        groups[rule["GroupId"]].append(rule)
    return groups
