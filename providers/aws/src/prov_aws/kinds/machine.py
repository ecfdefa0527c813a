"""`aws.machine`: an instance of EC2 with its disks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Mismatch, Missing
from prov_aws.jobs import asked, said
from prov_aws.kinds.machine_disks import attached, mend_disks
from prov_aws.kinds.machine_ends import check_root, ended, refuse_ended
from prov_aws.kinds.machine_order import order
from prov_aws.kinds.machine_parts import Parts, groups_of, is_first, parts_of
from prov_aws.kinds.machine_profile import mend_profile, profile_of
from prov_aws.kinds.machine_size import change_type, end_of_turn
from prov_aws.kinds.tagged import Tagged, in_order
from prov_aws.made import MADE, Family, Thing, found
from prov_aws.marks import NAME, plain, tags_of
from provisioner.sdk import (
    Absent,
    Answer,
    Context,
    Fatal,
    FieldChange,
    Job,
    OperatorNeeded,
    Pending,
    Reading,
    Secret,
    Seen,
    Update,
    Value,
    output,
    prop,
    stops_it,
)


@frozen(kw_only=True)
class MachineProps:
    """An instance. Ids of `subnet`, `security_groups`, `targets` (ARNs of target groups) and `address` (allocation).

    type         such as `m7i.large`; another one is given to a machine while it is stopped
    arch         `arm64` or nothing; `spot_type` is the type of a machine on spare capacity: neither can be changed
    public       whether it gets a public IPv4 address, unless it has an elastic one
    root_gib     size of the system disk in GiB, 0 for the image's; it can only grow
    root         what else there is to say of it, as in `Volume`
    volumes      further disks, as in `Volume`; they go with the machine
    disks        ids of disks that outlive it, by device
    profile      name or ARN of the instance profile; one that somebody attached where none is named stays
    group        name of the placement group
    spot         run on spare capacity, which AWS may take back; `spot_price` is the most to pay for an hour
    hop_limit    of answers of the metadata service, which always wants a session token
    power        `on` or `off`
    """

    name: str = prop()
    type: str = prop()
    arch: str = prop(immutable=True, readable=False, default="")
    image: str = prop(birth=True)
    subnet: str = prop(immutable=True)
    security_groups: tuple[str, ...] = prop(default=(), same_as=in_order)
    public: bool = prop(birth=True, readable=False, default=False)
    ipv6: bool = prop(birth=True, readable=False, default=False)
    address: str = ""
    targets: tuple[str, ...] = prop(default=(), same_as=in_order)
    user_data: Secret | None = prop(birth=True, secret=True, readable=False, default=None)  # noqa: RUF009
    root_gib: int = 0
    root: Mapping[str, Any] = prop(birth=True, readable=False, default={})
    root_device: str = prop(birth=True, default="/dev/xvda")
    volumes: tuple[Mapping[str, Any], ...] = prop(immutable=True, readable=False, default=())
    disks: Mapping[str, str] = field(factory=dict)
    profile: str = ""
    group: str = prop(immutable=True, default="")
    spot: bool = prop(immutable=True, default=False)
    spot_type: str = prop(immutable=True, readable=False, default="")
    spot_price: float = prop(birth=True, readable=False, default=0.0)
    hop_limit: int = 1
    power: str = "on"
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class MachineOutputs:
    """Addresses are empty where the machine has none; `zone` is such as `eu-west-1a`."""

    id: str = output()
    private_ip: str = output()
    public_ip: str = output()
    ipv6: str = output()
    zone: str = output()


_ON = ("pending", "running")


class MachineKind(Tagged):
    """Machines. One is made when it runs and is registered at its balancers; what runs on it is not asked here."""

    props: ClassVar[type[Any]] = MachineProps
    outputs: ClassVar[type[Any]] = MachineOutputs
    token = True
    many = True
    grave = frozenset({"disks", "power", "targets", "security_groups", "hop_limit"})
    family = Family(
        "machine",
        "instance",
        "describe_instances",
        "Reservations",
        "InstanceId",
        "instance-id",
        gone=lambda thing: thing["State"]["Name"] == "terminated",
        page=1000,
    )

    def read(self, client: Aws, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        """A listing, and what it takes to see disks, addresses and targets; of those in the making only the state."""
        things = found(client, self.family, jobs)
        self.keep(client, jobs, things)
        settled = [job for job in jobs if not job.phase and job.key in things]
        parts = parts_of(client, [(job, things[job.key]) for job in settled])
        return {job.key: self._told(job, things.get(job.key), parts.get(job.key)) for job in jobs}

    def create(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """As for all kinds; while it starts, what reading has just found tells enough."""
        if job.phase == MADE and isinstance(job.seen, Seen) and job.seen.props["power"] == "starting":
            return Pending(job.id, MADE, after_s=3.0, note="it starts")
        if job.phase == MADE and isinstance(job.seen, Absent):
            refuse_ended(client, job)
        return super().create(client, job, ctx)

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        try:
            made = aws.call("ec2", "run_instances", **order(job))
        except Mismatch:
            raise Fatal(
                "the machine has gone while it was made",
                detail=f"{job.address}: its token was used up",
                remedy="plan again: it will be made anew",
            ) from None
        except Fatal as err:
            if "iaminstanceprofile" in err.detail.replace(" ", "").lower():
                raise Missing(err.summary, detail=err.detail, remedy=err.remedy, effect=False) from None
            raise
        thing: Thing = made["Instances"][0]
        return thing

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        try:
            return self._shape(aws, job, thing)
        except (Fatal, OperatorNeeded):
            aws.end_turn(job.key)
            raise

    def _shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        if thing["InstanceType"] != asked(job).type:
            return change_type(aws, job, thing)
        note = self._power(aws, job, thing)
        if note:
            return note
        self.name_and_tag(aws, job, thing)
        fresh = job.outputs is None
        if fresh:
            check_root(asked(job), thing)
        parts = Parts() if fresh else parts_of(aws, [(job, thing)])[job.key]
        parts.mend(aws, asked(job), thing, fresh=fresh)
        if not fresh:
            mend_profile(aws, job, thing)
        return mend_disks(aws, job, thing) or end_of_turn(aws, job, thing)

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.end_turn(job.key)
        if thing["State"]["Name"] != "shutting-down":
            Parts().leave(aws, job.applied, thing)
            aws.call("ec2", "terminate_instances", InstanceIds=[thing["InstanceId"]])
        return "AWS is removing it"

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return _outputs(thing)

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        paths = {change.path[0]: change for change in changes}
        if "type" in paths:
            return f"stops the machine, makes it a {paths['type'].after}, and starts it; one machine at a time"
        if "power" in paths:
            return f"switches the machine {paths['power'].after}"
        if "targets" in paths:
            return "registers the machine at its balancers as wanted"
        return "while it runs"

    def interrupts(self, update: Update) -> bool:
        return stops_it(update, "type")

    def _power(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        """Brings the power to what is wanted; a note while that takes its time."""
        id_, state, wanted = thing["InstanceId"], thing["State"]["Name"], asked(job).power
        match wanted, state:
            case "on", "running":
                return "" if _has_addresses(asked(job), thing) else "waits for its addresses"
            case "on", "pending":
                return "it starts"
            case "on", "stopped":
                aws.call("ec2", "start_instances", InstanceIds=[id_])
                return "it starts"
            case "off", "running":
                aws.call("ec2", "stop_instances", InstanceIds=[id_])
                return "it stops"
            case "off", "stopped":
                return ""
            case _, "shutting-down":
                raise ended(thing)
        return f"it is {state}"

    def _told(self, job: Job[Any, Any], thing: Thing | None, parts: Parts | None) -> Reading:
        if thing is None or (thing["State"]["Name"] == "shutting-down" and not job.phase):
            return Absent()
        return Seen(
            {**_props(job, thing), **({} if parts is None else _of_parts(job, thing, parts))}, _outputs(thing)
        )


def _of_parts(job: Job[Any, Any], thing: Thing, parts: Parts) -> dict[str, Value]:
    """What only further calls tell; where none was made, what is on record stands."""
    return {
        "address": parts.address,
        "targets": _targets(job, thing, parts),
        "root_gib": _root_gib(job, parts),
    }


def _props(job: Job[Any, Any], thing: Thing) -> dict[str, Value]:
    tags = tags_of(thing)
    return {
        "name": tags.get(NAME, ""),
        "tags": plain(tags, job),
        "type": thing["InstanceType"],
        "image": thing["ImageId"],
        "subnet": thing.get("SubnetId", ""),
        "security_groups": tuple(sorted(groups_of(thing))),
        "root_device": thing.get("RootDeviceName") or "/dev/xvda",
        "disks": attached(job, thing),
        "profile": profile_of(job, thing),
        "group": thing.get("Placement", {}).get("GroupName") or "",
        "spot": thing.get("InstanceLifecycle") == "spot",
        "hop_limit": _hop_limit(thing),
        "power": _power_of(job, thing),
    }


def _power_of(job: Job[Any, Any], thing: Thing) -> str:
    state = thing["State"]["Name"]
    if job.phase and state == "pending":
        return "starting"
    return "on" if state in _ON else "off"


def _targets(job: Job[Any, Any], thing: Thing, parts: Parts) -> tuple[str, ...]:
    """Where it is registered; of a machine that is off as the file says, for it will be once it runs."""
    props = said(job)
    if props is not None and _power_of(job, thing) == "off":
        return tuple(sorted(props.targets))
    return tuple(sorted(parts.targets))


def _root_gib(job: Job[Any, Any], parts: Parts) -> int:
    """The size of the system disk; 0 where the file leaves it to the image."""
    props = said(job)
    return 0 if props is not None and props.root_gib == 0 else parts.root_gib


def _hop_limit(thing: Thing) -> int:
    """The hop limit; 0 where the metadata service wants no session token, which no file can ask for."""
    options = thing.get("MetadataOptions") or {}
    return int(options.get("HttpPutResponseHopLimit", 1)) if options.get("HttpTokens") == "required" else 0


def _has_addresses(wanted: MachineProps, thing: Thing) -> bool:
    return bool(thing.get("PrivateIpAddress")) and (
        not wanted.public or bool(wanted.address) or bool(thing.get("PublicIpAddress"))
    )


def _outputs(thing: Thing) -> dict[str, Value]:
    interfaces = thing.get("NetworkInterfaces") or ()
    sixes = [one["Ipv6Address"] for face in interfaces if is_first(face) for one in face.get("Ipv6Addresses") or ()]
    return {
        "id": thing["InstanceId"],
        "private_ip": thing.get("PrivateIpAddress") or "",
        "public_ip": thing.get("PublicIpAddress") or "",
        "ipv6": sixes[0] if sixes else thing.get("Ipv6Address") or "",
        "zone": thing.get("Placement", {}).get("AvailabilityZone", ""),
    }
