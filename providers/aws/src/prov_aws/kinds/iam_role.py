"""`aws.iam_role`: what somebody may do who acts in this role."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Missing
from prov_aws.jobs import asked
from prov_aws.kinds.named import Named, document, documents
from prov_aws.kinds.tagged import in_order
from prov_aws.made import Family, Thing
from prov_aws.marks import pairs
from provisioner.sdk import Job, Value, freeze, output, prop


@frozen(kw_only=True)
class IamRoleProps:
    """A role. `trust` says who may act in it; `policies` are documents by name, `managed` the ARNs of others.

    What else is found attached is taken off again.
    """

    name: str = prop(immutable=True)
    trust: Mapping[str, Any] = prop(same_as=document)
    policies: Mapping[str, Any] = prop(default={}, same_as=documents)
    managed: tuple[str, ...] = prop(default=(), same_as=in_order)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class IamRoleOutputs:
    """`id` is the name."""

    id: str = output()
    arn: str = output()


class IamRoleKind(Named):
    """Roles with their policies."""

    props: ClassVar[type[Any]] = IamRoleProps
    outputs: ClassVar[type[Any]] = IamRoleOutputs
    grave = frozenset({"trust", "policies", "managed"})
    family = Family("role", "", "", "", "RoleName", "")

    def look(self, aws: Aws, names: Iterable[str]) -> Mapping[str, Thing]:
        return {name: thing for name in names if (thing := _role(aws, name)) is not None}

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        trust, tags = json.dumps(asked(job).trust), self.born_with(job)
        made = aws.call("iam", "create_role", RoleName=asked(job).name, AssumeRolePolicyDocument=trust, Tags=tags)
        return {**made["Role"], "Tags": tags}

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        name = thing["RoleName"]
        differ, surplus = self.differing(job, thing)
        if differ:
            aws.call("iam", "tag_role", RoleName=name, Tags=pairs(differ))
        if surplus:
            aws.call("iam", "untag_role", RoleName=name, TagKeys=surplus)
        if document(thing["AssumeRolePolicyDocument"]) != document(asked(job).trust):
            trust = json.dumps(asked(job).trust)
            aws.call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=trust)
        self._inline(aws, name, asked(job).policies)
        self._managed(aws, name, set(asked(job).managed))
        return ""

    def mark(self, aws: Aws, thing: Thing, marks: Mapping[str, str]) -> None:
        aws.call("iam", "tag_role", RoleName=thing["RoleName"], Tags=pairs(marks))

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        name = thing["RoleName"]
        self._inline(aws, name, {})
        self._managed(aws, name, set())
        aws.call("iam", "delete_role", RoleName=name)
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        name = thing["RoleName"]
        return {
            "name": name,
            "trust": freeze(thing["AssumeRolePolicyDocument"]),
            "policies": freeze(_inline(aws, name)),
            "managed": tuple(sorted(_attached(aws, name))),
        }

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {"id": thing["RoleName"], "arn": thing["Arn"]}

    def _inline(self, aws: Aws, name: str, wanted: Mapping[str, Any]) -> None:
        there = _inline(aws, name)
        for policy, text in wanted.items():
            if document(there.get(policy)) != document(text):
                body = json.dumps(text)
                aws.call("iam", "put_role_policy", RoleName=name, PolicyName=policy, PolicyDocument=body)
        for policy in there.keys() - wanted.keys():
            aws.call("iam", "delete_role_policy", RoleName=name, PolicyName=policy)

    def _managed(self, aws: Aws, name: str, wanted: set[str]) -> None:
        there = _attached(aws, name)
        for arn in sorted(wanted - there):
            aws.call("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
        for arn in sorted(there - wanted):
            aws.call("iam", "detach_role_policy", RoleName=name, PolicyArn=arn)


def _role(aws: Aws, name: str) -> Thing | None:
    try:
        role: Thing = aws.call("iam", "get_role", RoleName=name)["Role"]
    except Missing:
        return None
    return role


def _inline(aws: Aws, name: str) -> dict[str, Any]:
    names = list(aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=name))
    return {
        str(policy): aws.call("iam", "get_role_policy", RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in names
    }


def _attached(aws: Aws, name: str) -> set[str]:
    listed = aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
    return {one["PolicyArn"] for one in listed}
