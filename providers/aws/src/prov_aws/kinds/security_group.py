"""`aws.security_group`: what may reach machines and balancers, and what they may reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Taken
from prov_aws.jobs import asked
from prov_aws.kinds.tagged import Tagged
from prov_aws.kinds.users import users_of
from prov_aws.made import Family, Thing, as_filters
from prov_aws.marks import KEY, tags_of
from prov_aws.names import remote_name
from prov_aws.rules import EVERYWHERE, are_everything, as_rule, described, opening, openings, permission, ways_out
from provisioner.sdk import FieldChange, Job, Value, output, prop

_LONGEST = 255
_AT_ONCE = 200
"""How many groups a filter takes."""


@frozen(kw_only=True)
class SecurityGroupProps:
    """A group of a network. `rules` are all that it lets in; what else is found is closed again.

    `outgoing` are all that it lets out; everything, where a file does not say it. Rules that are objects of their own
    (`aws.security_group_rule`) do not count.
    """

    name: str = prop()
    network: str = prop(immutable=True)
    about: str = prop(birth=True, default="made by prov")
    rules: tuple[Mapping[str, str], ...] = prop(default=(), same_as=openings)
    outgoing: tuple[Mapping[str, str], ...] | None = prop(default=None, same_as=ways_out)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class SecurityGroupOutputs:
    """The `id`."""

    id: str = output()


class SecurityGroupKind(Tagged):
    """Security groups with their rules."""

    props: ClassVar[type[Any]] = SecurityGroupProps
    outputs: ClassVar[type[Any]] = SecurityGroupOutputs
    grave = frozenset({"rules", "outgoing"})
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
        id_, there = thing["GroupId"], _rules(aws, [thing["GroupId"]])
        wanted = {opening(rule): rule.get("for", "") for rule in asked(job).rules}
        _bring(aws, id_, wanted, [rule for rule in there if not rule.get("IsEgress")], _IN)
        out = [rule for rule in there if rule.get("IsEgress")]
        if asked(job).outgoing is not None:
            _bring(aws, id_, {opening(rule): rule.get("for", "") for rule in asked(job).outgoing}, out, _OUT)
        elif not are_everything(map(described, out)):
            _bring(aws, id_, {EVERYWHERE: ""}, out, _OUT)
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call("ec2", "delete_security_group", GroupId=thing["GroupId"])
        return ""

    def users(self, aws: Aws, thing: Thing) -> str:
        return users_of(aws, {"group-id": [thing["GroupId"]]})

    def closer(self, aws: Aws, things: Sequence[Thing]) -> Mapping[str, Any]:
        return _by_group(_rules(aws, [thing["GroupId"] for thing in things]))

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        into = [rule for rule in more or () if not rule.get("IsEgress")]
        out = [rule for rule in more or () if rule.get("IsEgress")]
        rules = tuple(as_rule(described(rule), rule.get("Description", "")) for rule in into)
        outgoing = tuple(as_rule(described(rule), rule.get("Description", ""), "to") for rule in out)
        told = {"network": thing["VpcId"], "about": thing["Description"], "rules": rules}
        return {**told, "outgoing": None if are_everything(map(described, out)) else outgoing}

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        paths = {change.path[0] for change in changes}
        told = {"rules": "changes what is let in", "outgoing": "changes what is let out"}
        return "; ".join(text for name, text in told.items() if name in paths)


_IN = ("authorize_security_group_ingress", "revoke_security_group_ingress")
_OUT = ("authorize_security_group_egress", "revoke_security_group_egress")


def _bring(aws: Aws, id_: str, wanted: Mapping[Any, str], there: Sequence[Thing], calls: tuple[str, str]) -> None:
    """Opens what is wanted and not there, and closes what is there and not wanted."""
    known = {described(rule): rule for rule in there}
    _open(aws, id_, {what: text for what, text in wanted.items() if what not in known}, calls[0])
    surplus = [rule["SecurityGroupRuleId"] for what, rule in known.items() if what not in wanted]
    if surplus:
        aws.call("ec2", calls[1], GroupId=id_, SecurityGroupRuleIds=surplus)


def _open(aws: Aws, id_: str, wanted: Mapping[Any, str], operation: str) -> None:
    if not wanted:
        return
    permissions = [permission(what, id_, text) for what, text in sorted(wanted.items())]
    try:
        aws.call("ec2", operation, GroupId=id_, IpPermissions=permissions)
    except Taken:  # some were opened by a call whose answer was lost, and are not listed yet
        for one in permissions:
            _open_one(aws, id_, one, operation)


def _open_one(aws: Aws, id_: str, one: Mapping[str, Any], operation: str) -> None:
    try:
        aws.call("ec2", operation, GroupId=id_, IpPermissions=[one])
    except Taken:
        return


def _rules(aws: Aws, ids: Sequence[str]) -> list[Thing]:
    """What groups let in and out, but for rules that are objects of their own."""
    found: list[Thing] = []
    for start in range(0, len(ids), _AT_ONCE):
        filters = as_filters({"group-id": ids[start : start + _AT_ONCE]})
        found += aws.pages("ec2", "describe_security_group_rules", "SecurityGroupRules", Filters=filters)
    return [rule for rule in found if KEY not in tags_of(rule)]


def _by_group(rules: Sequence[Thing]) -> Mapping[str, list[Thing]]:
    groups: dict[str, list[Thing]] = defaultdict(list)
    for rule in rules:
        groups[rule["GroupId"]].append(rule)
    return groups
