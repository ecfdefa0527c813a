"""What belongs to a machine and is not told with it: its system disk, elastic address, and place at balancers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from prov_aws.client import Aws
from prov_aws.errors import Missing
from prov_aws.jobs import said
from prov_aws.kinds.balancing import SERVICE
from prov_aws.kinds.machine_order import metadata
from prov_aws.made import Thing, as_filters
from prov_aws.marks import LINEAGE
from provisioner.sdk import Fatal, Job

_FEW = 150
_LEAVING = frozenset({"draining", "unused.deregistering"})


@frozen
class Parts:
    """What a machine has: the size of its system disk in GiB, the allocation of its address, its target groups."""

    root_gib: int = 0
    root_volume: str = ""
    address: str = ""
    targets: tuple[str, ...] = ()

    def mend(self, aws: Aws, wanted: Any, thing: Thing, *, fresh: bool) -> None:
        """Writes what differs from what is wanted; of a `fresh` machine disk and options are as it was ordered."""
        id_ = thing["InstanceId"]
        if not fresh:
            self._mend_options(aws, wanted, thing)
            self._mend_disk(aws, wanted, id_)
        if wanted.address != self.address:
            self._mend_address(aws, wanted, id_)
        if thing["State"]["Name"] == "running":  # others cannot be registered; they are once they run
            self._mend_targets(aws, wanted, id_)

    def _mend_targets(self, aws: Aws, wanted: Any, id_: str) -> None:
        for group in sorted(set(wanted.targets) - set(self.targets)):
            aws.call(SERVICE, "register_targets", TargetGroupArn=group, Targets=[{"Id": id_}])
        for group in sorted(set(self.targets) - set(wanted.targets)):
            aws.call(SERVICE, "deregister_targets", TargetGroupArn=group, Targets=[{"Id": id_}])

    def leave(self, aws: Aws, props: Any, thing: Thing) -> None:
        """Takes the machine out of its target groups before it goes, so that nothing is sent to it any more."""
        for group in props.targets if props is not None else ():
            try:
                aws.call(SERVICE, "deregister_targets", TargetGroupArn=group, Targets=[{"Id": thing["InstanceId"]}])
            except Fatal:
                continue  # the group is gone, or does not know the machine

    def _mend_options(self, aws: Aws, wanted: Any, thing: Thing) -> None:
        id_ = thing["InstanceId"]
        if groups_of(thing) != set(wanted.security_groups):
            self._mend_groups(aws, thing, sorted(wanted.security_groups))
        options = thing.get("MetadataOptions") or {}
        there = (options.get("HttpTokens"), options.get("HttpPutResponseHopLimit"))
        if there != ("required", wanted.hop_limit):
            aws.call("ec2", "modify_instance_metadata_options", InstanceId=id_, **metadata(wanted))

    def _mend_groups(self, aws: Aws, thing: Thing, groups: list[str]) -> None:
        """Of the first interface: networks of pods add others, and then EC2 wants to know which one is meant."""
        faces = thing.get("NetworkInterfaces") or ()
        first = next((face["NetworkInterfaceId"] for face in faces if is_first(face)), "")
        if len(faces) > 1 and first:
            operation = "modify_network_interface_attribute"
            aws.call("ec2", operation, NetworkInterfaceId=first, Groups=groups)
        else:
            aws.call("ec2", "modify_instance_attribute", InstanceId=thing["InstanceId"], Groups=groups)

    def _mend_disk(self, aws: Aws, wanted: Any, id_: str) -> None:
        if wanted.root_gib in (0, self.root_gib):
            return
        if wanted.root_gib < self.root_gib:
            raise Fatal(
                "a disk cannot become smaller",
                detail=f"the system disk of {id_} has {self.root_gib} GiB, and {wanted.root_gib} are wanted",
                remedy="put the size back, or replace the node",
                effect=False,
            )
        aws.call("ec2", "modify_volume", VolumeId=self.root_volume, Size=wanted.root_gib)

    def _mend_address(self, aws: Aws, wanted: Any, id_: str) -> None:
        if wanted.address:
            aws.call("ec2", "associate_address", AllocationId=wanted.address, InstanceId=id_, AllowReassociation=True)
        else:
            held = _addresses(aws, as_filters({"allocation-id": [self.address]}))
            for one in held:
                aws.call("ec2", "disassociate_address", AssociationId=one["AssociationId"])


def is_first(face: Mapping[str, Any]) -> bool:
    """Whether an interface is the one that the machine was made with."""
    return int((face.get("Attachment") or {}).get("DeviceIndex", 0)) == 0


def groups_of(thing: Thing) -> set[str]:
    """The security groups of the first interface."""
    faces = [face for face in thing.get("NetworkInterfaces") or () if is_first(face) and face.get("Groups")]
    listed = faces[0]["Groups"] if faces else thing.get("SecurityGroups") or ()
    return {group["GroupId"] for group in listed}


def parts_of(aws: Aws, machines: Sequence[tuple[Job[Any, Any], Thing]]) -> dict[str, Parts]:
    """The parts of machines, by key; a few calls for all of them."""
    if not machines:
        return {}
    roots = _roots(aws, machines)
    addresses = _by_instance(aws, machines)
    targets = _targets(aws, [job for job, _ in machines])
    return {
        job.key: Parts(
            *roots.get(thing["InstanceId"], (0, "")),
            addresses.get(thing["InstanceId"], ""),
            tuple(targets.get(thing["InstanceId"], ())),
        )
        for job, thing in machines
    }


def _roots(aws: Aws, machines: Sequence[tuple[Job[Any, Any], Thing]]) -> dict[str, tuple[int, str]]:
    """Size and id of the system disk by instance, of those whose size the file says."""
    named = ((thing, said(job)) for job, thing in machines)
    asked = {thing["InstanceId"]: thing for thing, props in named if props is not None and props.root_gib}
    if not asked:
        return {}
    few = len(asked) <= _FEW
    lineages = sorted({job.lineage for job, _ in machines})
    filters = {"attachment.instance-id": list(asked)} if few else {f"tag:{LINEAGE}": lineages}
    found: dict[str, tuple[int, str]] = {}
    for volume in aws.pages("ec2", "describe_volumes", "Volumes", Filters=as_filters(filters)):
        for attachment in volume.get("Attachments") or ():
            thing = asked.get(attachment["InstanceId"])
            if thing is not None and attachment.get("Device") == thing.get("RootDeviceName"):
                found[attachment["InstanceId"]] = (volume["Size"], volume["VolumeId"])
    return found


def _by_instance(aws: Aws, machines: Sequence[tuple[Job[Any, Any], Thing]]) -> dict[str, str]:
    """The allocation of the elastic address by instance, of those that have or want one."""
    asked = [thing["InstanceId"] for job, thing in machines if _may_have_address(job, thing)]
    if not asked:
        return {}
    filters = as_filters({"instance-id": asked} if len(asked) <= _FEW else {})
    return {one["InstanceId"]: one["AllocationId"] for one in _addresses(aws, filters) if one.get("InstanceId")}


def _may_have_address(job: Job[Any, Any], thing: Thing) -> bool:
    """Whether a machine can have an elastic address: AWS says who owns a public one."""
    faces = thing.get("NetworkInterfaces") or ()
    owners = {face.get("Association", {}).get("IpOwnerId", "amazon") for face in faces}
    wants = any(props is not None and props.address for props in (job.wanted, job.applied))
    return wants or owners - {"amazon"} != set()


def _addresses(aws: Aws, filters: list[dict[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return aws.pages("ec2", "describe_addresses", "Addresses", Filters=filters)


def _targets(aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Mapping[str, list[str]]:
    """The target groups of each instance, among those that the file names."""
    named = {
        group for job in jobs for props in (job.wanted, job.applied) if props is not None for group in props.targets
    }
    found: dict[str, list[str]] = defaultdict(list)
    for group in sorted(named):
        try:
            health = aws.call(SERVICE, "describe_target_health", TargetGroupArn=group)["TargetHealthDescriptions"]
        except Missing:
            continue
        for one in health:
            if one.get("TargetHealth", {}).get("State") not in _LEAVING:
                found[one["Target"]["Id"]].append(group)
    return found
