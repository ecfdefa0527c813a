"""`aws.instance_profile`: the way in which a machine gets a role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Missing
from prov_aws.jobs import asked
from prov_aws.kinds.named import Named
from prov_aws.made import Family, Thing
from prov_aws.marks import pairs
from provisioner.sdk import Job, Value, output, prop


@frozen(kw_only=True)
class InstanceProfileProps:
    """A profile with the `role` of that name."""

    name: str = prop(immutable=True)
    role: str = ""
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class InstanceProfileOutputs:
    """`id` is the name, which machines are given."""

    id: str = output()
    arn: str = output()


class InstanceProfileKind(Named):
    """Instance profiles."""

    props: ClassVar[type[Any]] = InstanceProfileProps
    outputs: ClassVar[type[Any]] = InstanceProfileOutputs
    grave = frozenset({"role"})
    family = Family("instance profile", "", "", "", "InstanceProfileName", "")

    def look(self, aws: Aws, names: Iterable[str]) -> Mapping[str, Thing]:
        return {name: thing for name in names if (thing := _profile(aws, name)) is not None}

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        tags = self.born_with(job)
        made = aws.call("iam", "create_instance_profile", InstanceProfileName=asked(job).name, Tags=tags)
        return {**made["InstanceProfile"], "Tags": tags}

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        name, there = thing["InstanceProfileName"], _role_of(thing)
        differ, surplus = self.differing(job, thing)
        if differ:
            aws.call("iam", "tag_instance_profile", InstanceProfileName=name, Tags=pairs(differ))
        if surplus:
            aws.call("iam", "untag_instance_profile", InstanceProfileName=name, TagKeys=surplus)
        if there and there != asked(job).role:
            _take_off(aws, name, there)
        if asked(job).role and there != asked(job).role:
            role = asked(job).role
            aws.call("iam", "add_role_to_instance_profile", InstanceProfileName=name, RoleName=role)
        return ""

    def mark(self, aws: Aws, thing: Thing, marks: Mapping[str, str]) -> None:
        name = thing["InstanceProfileName"]
        aws.call("iam", "tag_instance_profile", InstanceProfileName=name, Tags=pairs(marks))

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        if _role_of(thing):
            _take_off(aws, thing["InstanceProfileName"], _role_of(thing))
        aws.call("iam", "delete_instance_profile", InstanceProfileName=thing["InstanceProfileName"])
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {"name": thing["InstanceProfileName"], "role": _role_of(thing)}

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {"id": thing["InstanceProfileName"], "arn": thing["Arn"]}


def _profile(aws: Aws, name: str) -> Thing | None:
    try:
        profile: Thing = aws.call("iam", "get_instance_profile", InstanceProfileName=name)["InstanceProfile"]
    except Missing:
        return None
    return profile


def _role_of(thing: Thing) -> str:
    return next((str(role["RoleName"]) for role in thing.get("Roles") or ()), "")


def _take_off(aws: Aws, name: str, role: str) -> None:
    aws.call("iam", "remove_role_from_instance_profile", InstanceProfileName=name, RoleName=role)
