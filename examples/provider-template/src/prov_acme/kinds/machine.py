"""`acme.machine`: a machine, which takes a while to be built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_acme.client import Acme
from provisioner.sdk import Answer, Context, Done, Job, Pending, Reading, Secret, Seen, output, prop


@frozen
class MachineProps:
    """A machine. `disk` is the id of its disk; `image` and `user_data` are used when it is built."""

    name: str = prop(immutable=True)
    size: str = prop(immutable=True)
    disk: str = prop(immutable=True)
    image: str = prop(birth=True)
    user_data: Secret | None = prop(birth=True, secret=True, readable=False, default=None)  # noqa: RUF009
    labels: Mapping[str, str] = field(factory=dict)


@frozen
class MachineOutputs:
    """`host` is the IPv4 address at which the machine answers."""

    id: str = output()
    host: str = output()


READABLE = ("name", "size", "disk", "image", "labels")


class MachineKind:
    """Machines. One is made when Acme has built it; what runs on it is not asked here."""

    props: ClassVar[type[Any]] = MachineProps
    outputs: ClassVar[type[Any]] = MachineOutputs

    def read(self, client: Acme, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        found = client.find("machine", jobs)
        return {key: _seen(thing) if isinstance(thing, Mapping) else thing for key, thing in found.items()}

    def create(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        """Asks for the machine if it is not there, and says "not yet" until it is built.

        It needs no phase of its own: looking tells it all, before a crash and after.
        """
        assert job.wanted is not None
        thing = client.make("machine", job, job.wanted.name, _order(job.wanted))
        if thing["state"] != "running":
            return Pending(id=thing["id"], after_s=1.0, note=f"Acme is {thing['state']} it")
        return Done(MachineOutputs(thing["id"], thing["host"]))

    def update(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        assert job.wanted is not None
        thing = client.change("machine", job, {"labels": dict(job.wanted.labels)})
        return Done(MachineOutputs(thing["id"], thing["host"]))

    def delete(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        client.remove("machine", job)
        return Done(None)


def _order(props: MachineProps) -> dict[str, Any]:
    user_data = props.user_data.reveal() if props.user_data is not None else ""
    plain = {name: getattr(props, name) for name in ("name", "size", "disk", "image")}
    return {**plain, "labels": dict(props.labels), "user_data": user_data}


def _seen(thing: Mapping[str, Any]) -> Seen:
    return Seen({name: thing["body"][name] for name in READABLE}, {"id": thing["id"], "host": thing["host"]})
