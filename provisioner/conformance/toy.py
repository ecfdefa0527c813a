"""A provider in memory, on the real protocol, whose behaviour a test writes down beforehand.

cloud = Cloud()
cloud.script("create", "a", Pending(phase="booting"), Retry("busy"))
registry = Registry({}, {"toy": ToyProvider(cloud)})

toy.thing    changes in place but for its name; can be taken over from others
toy.vault    a thing that holds data, removed in the manner that fits
toy.disk     has a name of its own in the cloud for each generation, so the next one may come before the last goes
toy.server   goes through releases one by one, with actions in between
toy.upload   is sent by an attached task
toy.image    is only looked up
toy.gate     is a condition
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import define, evolve, field, frozen

from provisioner.conformance.toy_cloud import (
    Cloud,
    DiskOutputs,
    DiskProps,
    GateOutputs,
    GateProps,
    ImageOutputs,
    ImageProps,
    Item,
    Server,
    ServerOutputs,
    ServerProps,
    Thing,
    ThingOutputs,
    ThingProps,
    UploadOutputs,
    UploadProps,
    Watch,
    endpoint_of,
    wanted,
)
from provisioner.sdk import (
    PROTOCOL,
    Absent,
    Address,
    Answer,
    AnyKind,
    Context,
    Done,
    Fatal,
    Fetch,
    FieldChange,
    Function,
    Job,
    Limits,
    Owned,
    Pending,
    Reading,
    Run,
    Secret,
    Seen,
    Severity,
    Unreachable,
    Update,
    Value,
    Working,
)

POLL_S = 0.01

__all__ = [
    "Client",
    "Cloud",
    "DiskKind",
    "DiskOutputs",
    "DiskProps",
    "GateKind",
    "GateOutputs",
    "GateProps",
    "ImageKind",
    "ImageOutputs",
    "ImageProps",
    "Item",
    "Server",
    "ServerKind",
    "ServerOutputs",
    "ServerProps",
    "Settings",
    "Thing",
    "ThingKind",
    "ThingOutputs",
    "ThingProps",
    "ToyProvider",
    "UploadKind",
    "UploadOutputs",
    "UploadProps",
    "VaultKind",
    "Watch",
]


@frozen
class Settings:
    """`place` is where the things of an instance are made; the rest is what one endpoint of it bears."""

    place: str = "here"
    in_flight: int = 16
    per_second: float = 0.0


@frozen
class Client:
    """A connection to the cloud at one place."""

    cloud: Cloud
    place: str


class _InTheCloud:
    """Reading and removing, which are the same for all that the cloud holds."""

    def read(self, client: Client, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        client.cloud.ask(job.address.name for job in jobs)
        asked = [job for job in jobs if job.address.name not in client.cloud.silent]
        return {job.key: self._reading(client.cloud, job) for job in asked}

    def delete(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("delete", job) as waiting:
            if waiting is not None:
                return waiting
            client.cloud.remove(job)
            return Done(None)

    def _reading(self, cloud: Cloud, job: Job[Any, Any]) -> Reading:
        if job.address.name in cloud.unreachable:
            return Unreachable("no route")
        thing = cloud.things.get(job.key)
        return Absent() if thing is None else self._seen(thing)

    def _seen(self, thing: Any) -> Seen:
        raise NotImplementedError


class ThingKind(_InTheCloud):
    """Things: their name is fixed, all else changes in place."""

    props: ClassVar[type[Any]] = ThingProps
    outputs: ClassVar[type[Any]] = ThingOutputs

    def create(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("create", job) as waiting:
            if waiting is None or isinstance(waiting, Pending):
                thing = client.cloud.make(job, wanted(job).name)
                thing.props = _as_kept(thing.props)
            return Done(_outputs(thing)) if waiting is None else waiting

    def update(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("update", job) as waiting:
            if waiting is not None:
                return waiting
            thing = client.cloud.thing(job)
            client.cloud.change(thing, props=_as_kept(wanted(job)))
            return Done(_outputs(thing))

    def find(self, client: Client, ids: Sequence[str], ctx: Context) -> Mapping[str, Reading]:
        client.cloud.ask(ids)
        there = {thing.id: thing for thing in client.cloud.things.values() if isinstance(thing.props, self.props)}
        return {id_: self._found(there[id_]) if id_ in there else Absent() for id_ in ids}

    def adopt(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("adopt", job) as waiting:
            if waiting is not None:
                return waiting
            return Done(_outputs(client.cloud.adopt(job)))

    def _seen(self, thing: Any) -> Seen:
        names = ("name", "size", "token", "host", "at")
        props: dict[str, Value] = {name: getattr(thing.props, name) for name in names}
        return Seen({**props, "parts": dict(thing.props.parts)})

    def _found(self, thing: Thing) -> Seen:
        """All that can be read, so that it can be put on record as it is."""
        outputs = _outputs(thing)
        return Seen(
            {**self._seen(thing).props, "label": thing.props.label},
            {
                "id": outputs.id,
                "address": outputs.address,
                "revision": outputs.revision,
                "password": outputs.password,
            },
        )


class VaultKind(ThingKind):
    """Vaults: things that hold data, removed in the manner that fits."""

    precious: ClassVar[str] = "all that is kept in it"

    def how(self, address: Address, going: frozenset[Address], reading: Reading | None) -> tuple[str, str]:
        if isinstance(reading, Unreachable):
            return "force", "out of reach: given up as it is"
        return ("teardown", "goes with all the rest") if len(going) > 1 else ("empty", "is emptied first")

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        return "restarts it" if any(change.path[0] == "size" for change in changes) else ""

    def severity(self, changes: Sequence[FieldChange]) -> Severity:
        return "warning" if any(change.path[0] == "size" for change in changes) else "critical"

    def interrupts(self, update: Update) -> bool:
        return any(change.path[0] == "size" for change in update.changes)


class DiskKind(_InTheCloud):
    """Disks: the cloud knows each by a name of its own, with the generation in it from the second on."""

    props: ClassVar[type[Any]] = DiskProps
    outputs: ClassVar[type[Any]] = DiskOutputs

    def create(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("create", job) as waiting:
            if waiting is None or isinstance(waiting, Pending):
                suffix = f"-g{job.generation}" if job.generation > 1 else ""
                disk = client.cloud.make(job, f"{job.address.name}{suffix}", unique=True)
            return Done(DiskOutputs(disk.id, disk.remote)) if waiting is None else waiting

    def update(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("update", job) as waiting:
            if waiting is not None:
                return waiting
            disk = client.cloud.thing(job)
            client.cloud.change(disk, props=job.wanted)
            return Done(DiskOutputs(disk.id, disk.remote))

    def _seen(self, thing: Any) -> Seen:
        return Seen({"size": thing.props.size, "tier": thing.props.tier}, {"id": thing.id, "name": thing.remote})


class ServerKind(_InTheCloud):
    """Servers: another release is reached in hops, each drained, booted and let back to work.

    Actions: `snapshot`, `drain`, `reboot`, `uncordon`.
    """

    props: ClassVar[type[Any]] = ServerProps
    outputs: ClassVar[type[Any]] = ServerOutputs

    def create(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("create", job) as waiting:
            if waiting is None or isinstance(waiting, Pending):
                server = client.cloud.make(job, job.address.name, cls=Server)
            return Done(ServerOutputs(server.id, server.boots)) if waiting is None else waiting

    def update(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("update", job) as waiting:
            if waiting is not None:
                return waiting
            server = client.cloud.thing(job)
            _refuse_leap(server.props.version, wanted(job).version)
            client.cloud.change(server, props=job.wanted)
            return Done(ServerOutputs(server.id, server.boots))

    def run(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call(f"run:{job.how}", job) as waiting:
            if waiting is not None:
                return waiting
            return _act(client.cloud, client.cloud.thing(job), job)

    def birth(self, wanted: Mapping[str, Value]) -> str:
        return f"boots release {wanted['version']}"

    def expand(self, update: Update) -> Sequence[Update | Run]:
        """Up by one: snapshot, drain, the new release, reboot, uncordon; by n: n releases with a reboot each."""
        change = next((change for change in update.changes if change.path == ("version",)), None)
        if change is None or not isinstance(change.before, int) or not isinstance(change.after, int):
            return [update]
        hops = range(change.before + 1, change.after + 1)
        if not hops:
            return [update]
        steps: list[Update | Run] = [_action(update, "snapshot"), _action(update, "drain")]
        for version in hops:
            steps += [
                _hop(update, change, version, first=version == hops[0]),
                _action(update, "reboot", f"reboot-{version}"),
            ]
        return [*steps, _action(update, "uncordon")]

    def takes_s(self, job: Job[Any, Any]) -> float:
        return 3600.0

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        return "drains and reboots it" if any(change.path == ("version",) for change in changes) else ""

    def _seen(self, thing: Any) -> Seen:
        return Seen(
            {"version": thing.props.version, "size": thing.props.size}, {"id": thing.id, "boots": thing.boots}
        )


class UploadKind(_InTheCloud):
    """Uploads: one long request each, which goes with the process."""

    props: ClassVar[type[Any]] = UploadProps
    outputs: ClassVar[type[Any]] = UploadOutputs

    def create(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("create", job) as waiting:
            if waiting is not None:
                return waiting
            there = client.cloud.things.get(job.key)
            if there is not None:
                return Done(UploadOutputs(there.id))
            match ctx.task("upload", lambda: _send(client.cloud, job)):
                case Working():
                    return Pending(phase="sending", after_s=POLL_S, note="is sent")
                case done:
                    return Done(UploadOutputs(done.value))

    def update(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("update", job) as waiting:
            return waiting if waiting is not None else Done(UploadOutputs(client.cloud.thing(job).id))

    def _seen(self, thing: Any) -> Seen:
        return Seen({"name": thing.props.name, "content": thing.props.content}, {"id": thing.id})


class ImageKind:
    """Images that others have published under a name."""

    props: ClassVar[type[Any]] = ImageProps
    outputs: ClassVar[type[Any]] = ImageOutputs

    def read(self, client: Client, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        client.cloud.ask(job.address.name for job in jobs)
        return {job.key: self._reading(client.cloud, job) for job in jobs}

    def _reading(self, cloud: Cloud, job: Job[Any, Any]) -> Reading:
        if job.address.name in cloud.unreachable:
            return Unreachable("no route")
        digest = cloud.images.get(wanted(job).name)
        if digest is None:
            return Absent()
        return Seen({"name": wanted(job).name}, {"id": f"{wanted(job).name}@{digest}", "digest": digest})


class GateKind:
    """A condition that holds unless the cloud says that it is shut."""

    props: ClassVar[type[Any]] = GateProps
    outputs: ClassVar[type[Any]] = GateOutputs

    def check(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        with client.cloud.call("check", job) as waiting:
            if waiting is not None:
                return waiting
            if job.address.name in client.cloud.shut:
                return Pending(note="not yet", after_s=POLL_S)
            return Done(GateOutputs(id=job.address.name))


def _shout(text: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"cannot shout {text!r}")
    return text.upper()


@define
class ToyProvider:
    """Things in memory."""

    name: ClassVar[str] = "toy"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = Settings
    kinds: ClassVar[Mapping[str, AnyKind]] = {
        "toy.thing": ThingKind(),
        "toy.vault": VaultKind(),
        "toy.disk": DiskKind(),
        "toy.server": ServerKind(),
        "toy.upload": UploadKind(),
        "toy.image": ImageKind(),
        "toy.gate": GateKind(),
    }
    functions: ClassVar[Mapping[str, Function]] = {"toy.shout": _shout, "toy.burst": lambda text: text + 1}

    cloud: Cloud = field(factory=Cloud)

    def connect(self, settings: Settings) -> Client:
        self.cloud.places.append(settings.place)
        return Client(self.cloud, settings.place)

    def list_owned(self, client: Client, ctx: Context) -> Sequence[Owned]:
        """Everything with a lineage, the newest first."""
        client.cloud.ask(["owned"])
        things = reversed([*client.cloud.things.items()])
        return [
            Owned(str(thing.address.kind), thing.id, key, thing.lineage, str(thing.address))
            for key, thing in things
            if thing.lineage
        ]

    def serve(self, client: Client, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, str]:
        """All but what is slow is served at once; what is fetched, a test says."""
        client.cloud.serving = sorted(job.address.name for job in jobs)
        return {job.key: "waits for its image" if job.address.name == "slow" else "" for job in jobs}

    def fetched(self, client: Client) -> Sequence[Fetch]:
        return client.cloud.fetches

    def limits(self, settings: Mapping[str, Value]) -> Limits:
        most, rate = settings.get("in_flight", 16), settings.get("per_second", 0.0)
        return Limits(most if isinstance(most, int) else 16, float(rate) if isinstance(rate, int | float) else 0.0)

    def called_at(self, job: Job[Any, Any]) -> str:
        return endpoint_of(job)


def _as_kept(props: Any) -> Any:
    """What the cloud makes of what it is told."""
    return evolve(props, host=props.host.lower())


def _outputs(thing: Thing) -> ThingOutputs:
    password = Secret(f"password-of-{thing.id}")
    return ThingOutputs(thing.id, f"10.0.0.{thing.id.partition('-')[2]}", thing.revision, password)


def _send(cloud: Cloud, job: Job[Any, Any]) -> str:
    cloud.sending(job)
    return str(cloud.make(job, wanted(job).name).id)


def _refuse_leap(version: int, wanted: int) -> None:
    if wanted not in (version, version + 1):
        raise Fatal(
            "a server goes up one release at a time",
            detail=f"it has {version}, and {wanted} is wanted",
            remedy=f"go to {version + 1} first",
            effect=False,
        )


def _act(cloud: Cloud, server: Server, job: Job[Any, Any]) -> Answer:
    """Does an action once, however often it is called for."""
    match job.how:
        case "snapshot":
            cloud.change(server, snapshots=sorted({*server.snapshots, server.props.version}))
        case "drain" | "uncordon":
            cloud.change(server, cordoned=job.how == "drain")
        case "reboot":
            return _reboot(cloud, server, job)
        case other:
            raise Fatal(
                "a server cannot do that",
                detail=f"it was told to {other}",
                remedy="tell it to snapshot, drain, reboot or uncordon",
                effect=False,
            )
    return Done(None)


def _reboot(cloud: Cloud, server: Server, job: Job[Any, Any]) -> Answer:
    """The count of boots is on record before the reboot is asked for, so that it is not asked for again."""
    if not job.phase:
        return Pending(job.id, "asking", {"boots": str(server.boots)}, POLL_S, "about to reboot")
    cloud.change(server, boots=int(job.memo["boots"]) + 1)
    return Done(ServerOutputs(server.id, server.boots))


def _action(update: Update, action: str, part: str = "") -> Run:
    return Run(
        address=update.address,
        provider=update.provider,
        generation=update.generation,
        part=part or action,
        reasons=update.reasons,
        action=action,
    )


def _hop(update: Update, change: FieldChange, version: int, *, first: bool) -> Update:
    """One release up; what else changes, changes with the first hop."""
    others = [other for other in update.changes if first and other is not change]
    return evolve(
        update,
        part=str(version),
        wanted={**update.wanted, "version": version},
        changes=(evolve(change, before=version - 1, after=version), *others),
    )
