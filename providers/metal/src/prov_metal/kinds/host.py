"""`metal.host`: a server in a rack, from whatever it was to a node that runs from its disk.

    (begin) ──► who is there? ──(on)──► stopping ──► stopped ◄──(off)── (begin)
                                                        │ the disc goes in
                                                     loaded
                                                        │ it shall boot from the disc, once
                                                      armed
                                                        │ power on
                                                     starting
                                                        │ is on
        ┌──(shows the cluster's certificate)───────── booting ──(switched itself off: installed)──┐
        │                                                                                         ▼
        │                                 from-disk ◄── disc out, boot order lifted, power on ── parted
        ▼                                     │
       up ◄──(shows the certificate)──────────┘
        │ disc out, boot order lifted
       done

Every call looks first and does at most one thing. Some machines come back from the installer by themselves, others
stay off; both ways end in `up`. The disc is ejected with the machine off or running from its own disk, never under an
installation.

An installation is not begun twice. Where a run was cut off about the moment of the first start, and the machine is
off when somebody looks again, nobody can tell whether it never started or has installed itself since. Then its own
disk comes first (`parted`), and only if no node comes of that, the whole way is gone once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from attrs import frozen

from prov_metal.bmc.driver import Facts, MediaBmc
from prov_metal.client import Client
from provisioner.sdk import (
    Absent,
    Answer,
    Context,
    Done,
    EndpointDown,
    FieldChange,
    Job,
    OperatorNeeded,
    Pending,
    Reading,
    Secret,
    Seen,
    Unreachable,
    output,
    prop,
)

POLL_S = 5.0
PATIENCE = timedelta(seconds=20)
"""How long a machine may take to show that its power switch was pressed."""
BEGUN = timedelta(minutes=1)
"""In less than this no machine installs anything: if it is off, it has not started."""
DISK = timedelta(minutes=10)
"""How long a machine may take from the power switch to a node that runs from its disk."""


@frozen(kw_only=True)
class HostProps:
    """A host as it is wanted.

    host         its name in the inventory, which is its place in a rack
    address      where its Talos API answers
    image        the ISO to boot, a URL or a file
    user_data    the configuration that goes onto the disc
    authority    base64 of the PEM certificate by which a node of the cluster is known
    power        `on` or `off`
    The rest is as in the inventory.
    """

    host: str = prop(immutable=True)
    address: str = prop(immutable=True)
    bmc: str = prop(readable=False)
    username: str = prop(readable=False, default="")
    password: Secret | None = prop(secret=True, readable=False, default=None)  # noqa: RUF009
    fingerprint: str = prop(readable=False, default="")
    verify: bool = prop(readable=False, default=True)
    uuid: str = prop(readable=False, default="")
    serial: str = prop(readable=False, default="")
    image: str = prop(birth=True)
    user_data: Secret = prop(birth=True, secret=True, readable=False)  # noqa: RUF009
    authority: str = prop(birth=True, readable=False)
    power: str = prop(default="on")


@frozen
class HostOutputs:
    """`id` is the host's name: a chassis may be exchanged, the place in the rack is the same."""

    id: str = output()
    host: str = output()
    vendor: str = output(volatile=True, default="")
    model: str = output(volatile=True, default="")
    serial: str = output(volatile=True, default="")


HostJob = Job[HostProps, HostOutputs]


class HostKind:
    """Hosts of an inventory."""

    props: ClassVar[type[Any]] = HostProps
    outputs: ClassVar[type[Any]] = HostOutputs

    def read(self, client: Client, jobs: Sequence[HostJob], ctx: Context) -> Mapping[str, Reading]:
        """One look at each BMC. What is not on record as ours is nobody's: BMCs keep no owner."""
        return {job.key: _reading(client, job) for job in jobs}

    def create(self, client: Client, job: HostJob, ctx: Context) -> Answer:
        """The way drawn above."""
        wanted = _wanted(job)
        bmc = client.bmc(wanted)
        facts = bmc.facts()
        match job.phase:
            case "":
                return _meet(wanted, facts, bmc, ctx)
            case "stopping":
                return _stop(job, facts, bmc, ctx)
            case "stopped":
                return _load(client, job, wanted, bmc, ctx)
            case "loaded":
                bmc.boot_from("cd")
                return _at("armed", job, ctx, "will boot from the disc", after_s=0.0)
            case "armed" | "starting" | "booting":
                return _boot(client, job, wanted, facts, bmc, ctx)
            case "parted" | "from-disk":
                return _from_disk(client, job, wanted, facts, bmc, ctx)
            case _:
                return _settle(client, wanted, facts, bmc)

    def update(self, client: Client, job: HostJob, ctx: Context) -> Answer:
        """Switches it on or off where it is not; what else may change is how its BMC is spoken to."""
        wanted = _wanted(job)
        bmc = client.bmc(wanted)
        facts = bmc.facts()
        if facts.on != (wanted.power == "on"):
            return _pressed(job, bmc, ctx, on=wanted.power == "on", phase="switching")
        return Done(_outputs(wanted, facts))

    def delete(self, client: Client, job: HostJob, ctx: Context) -> Answer:
        """Off, ejected, the boot order as it was: free for others."""
        props = job.applied or job.wanted
        if props is None:
            return Done(None)
        bmc = client.bmc(props)
        if bmc.facts().on:
            return _pressed(job, bmc, ctx, on=False, phase="stopping")
        bmc.eject()
        bmc.boot_from("disk")
        client.media.forget(props.host)
        return Done(None)

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        power = [change.after for change in changes if change.path[0] == "power"]
        return f"switches the host {power[0]}" if power else "nothing on the host"


def _reading(client: Client, job: HostJob) -> Reading:
    props = job.wanted or job.applied  # a password is looked with as the file has it now
    if job.id is None or props is None:
        return Absent()
    try:
        facts = client.bmc(props).facts()
    except EndpointDown as err:
        return Unreachable(err.detail or str(err))
    seen = {"host": props.host, "address": props.address, "image": props.image, "power": "on" if facts.on else "off"}
    outputs = {"id": props.host, "host": props.address, "vendor": facts.vendor, "model": facts.model}
    return Seen(seen, outputs | {"serial": facts.serial})


def _meet(wanted: HostProps, facts: Facts, bmc: MediaBmc, ctx: Context) -> Pending:
    """Makes sure that the right machine is behind the BMC, before anything happens to it."""
    for name, expected, found in (("uuid", wanted.uuid, facts.uuid), ("serial", wanted.serial, facts.serial)):
        if expected and expected.lower() != found.lower():
            raise OperatorNeeded(
                "another machine is behind this BMC",
                detail=f"{wanted.host}: the inventory has {name} {expected}, the BMC says {found or 'nothing'}",
                remedy="correct the row of the inventory, or the cabling",
            )
    ctx.say(f"{wanted.host} is {facts.vendor} {facts.model}".rstrip())
    if facts.on:
        bmc.switch(on=False)
        memo = {"pressed_at": ctx.now().isoformat()}
        return Pending(id=wanted.host, phase="stopping", memo=memo, after_s=POLL_S, note="is switched off")
    return Pending(id=wanted.host, phase="stopped", after_s=0.0, note="is off")


def _stop(job: HostJob, facts: Facts, bmc: MediaBmc, ctx: Context) -> Pending:
    if facts.on:
        return _pressed(job, bmc, ctx, on=False, phase="stopping")
    return Pending(id=job.id, phase="stopped", after_s=0.0, note="is off")


def _load(client: Client, job: HostJob, wanted: HostProps, bmc: MediaBmc, ctx: Context) -> Pending:
    url = _served(client, wanted, ctx)
    if url is None:
        return Pending(id=job.id, phase="stopped", after_s=POLL_S, note="waits for the image")
    bmc.insert(url)
    return Pending(id=job.id, phase="loaded", after_s=0.0, note="has its disc")


def _boot(client: Client, job: HostJob, wanted: HostProps, facts: Facts, bmc: MediaBmc, ctx: Context) -> Pending:
    """Starts it from the disc, and waits until it has installed itself one way or the other."""
    if _served(client, wanted, ctx) is None:
        return Pending(id=job.id, phase=job.phase, memo=job.memo, after_s=POLL_S, note="waits for the image")
    if job.phase != "booting":
        return _start(job, facts, bmc, ctx)
    if not facts.on:
        return _at("parted", job, ctx, "has switched itself off", after_s=0.0)
    if client.is_node(wanted.address, wanted.authority):
        return _at("up", job, ctx, "runs with its configuration", after_s=0.0)
    return Pending(id=job.id, phase="booting", memo=job.memo, after_s=POLL_S, note="installs itself")


def _start(job: HostJob, facts: Facts, bmc: MediaBmc, ctx: Context) -> Pending:
    if facts.on:
        return _at("booting", job, ctx, "boots from the disc")
    if _since(job, ctx) > BEGUN:
        return _at("parted", job, ctx, "may have been installed already", after_s=0.0, unsure="yes")
    if job.phase == "armed":
        bmc.switch(on=True)
        return _at("starting", job, ctx, "is switched on")
    return _pressed(job, bmc, ctx, on=True, phase="starting")


def _from_disk(client: Client, job: HostJob, wanted: HostProps, facts: Facts, bmc: MediaBmc, ctx: Context) -> Pending:
    """Starts it from its own disk, once more where it goes off again, and waits for the node."""
    if facts.on and client.is_node(wanted.address, wanted.authority):
        return _at("up", job, ctx, "runs with its configuration", after_s=0.0)
    if job.memo.get("unsure") and _since(job, ctx) > DISK:
        return Pending(id=job.id, after_s=0.0, note="has nothing on its disk")
    if facts.on:
        return Pending(id=job.id, phase="from-disk", memo=job.memo, after_s=POLL_S, note="boots from its own disk")
    bmc.eject()
    bmc.boot_from("disk")
    return _pressed(job, bmc, ctx, on=True, phase=job.phase)


def _settle(client: Client, wanted: HostProps, facts: Facts, bmc: MediaBmc) -> Answer:
    bmc.eject()
    bmc.boot_from("disk")
    client.media.forget(wanted.host)
    return Done(_outputs(wanted, facts))


def _at(phase: str, job: HostJob, ctx: Context, note: str, *, after_s: float = POLL_S, **memo: str) -> Pending:
    """The beginning of a phase, which remembers when that was."""
    return Pending(id=job.id, phase=phase, memo={"since": ctx.now().isoformat(), **memo}, after_s=after_s, note=note)


def _since(job: HostJob, ctx: Context) -> timedelta:
    """How long ago the phase began."""
    return ctx.now() - datetime.fromisoformat(job.memo["since"])


def _pressed(job: HostJob, bmc: MediaBmc, ctx: Context, *, on: bool, phase: str) -> Pending:
    """Presses the power switch, again only after a while: some machines take their time to show it."""
    memo = dict(job.memo) if job.phase == phase else {}
    pressed = memo.get("pressed_at")
    if pressed is None or ctx.now() - datetime.fromisoformat(pressed) > PATIENCE:
        bmc.switch(on=on)
        memo["pressed_at"] = ctx.now().isoformat()
    return Pending(id=job.id, phase=phase, memo=memo, after_s=POLL_S, note=f"is switched {'on' if on else 'off'}")


def _served(client: Client, wanted: HostProps, ctx: Context) -> str | None:
    """The URL of the host's disc; None while the image is on its way."""
    return client.disc(ctx, wanted.host, str(wanted.user_data.reveal()), wanted.image)


def _wanted(job: HostJob) -> HostProps:
    assert job.wanted is not None, "the engine creates and updates with known props"
    return job.wanted


def _outputs(wanted: HostProps, facts: Facts) -> HostOutputs:
    return HostOutputs(wanted.host, wanted.address, facts.vendor, facts.model, facts.serial)
