"""Bringing a configuration to a machine and into force.

    nobody there ──► waits
    maintenance ───► the configuration is handed over; installs, reboots ─┐  (a person is needed where only the
        │                                                                 │   provider may hand it over)
    ours ◄────────────────────────────────────────────────────────────────┘
      ├─ has another configuration ──► it is applied
      ├─ has it, but not since boot ─► reboots where it must, by itself or told to
      ├─ has it, still on its way ───► waits
      └─ has it, up ─────────────────► done
    somebody else's ► a person is needed; another node of the cluster is somebody else, too

Every call looks first and does at most one thing, so a call that was cut off is simply made again. The memo
remembers when something was asked, to give the machine a moment before it is asked once more, and the boot
that has to end, from before the configuration is sent: afterwards nothing tells that it still has to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from provisioner.sdk import (
    ABSENT,
    Answer,
    Context,
    Done,
    Fatal,
    FieldChange,
    Job,
    OperatorNeeded,
    Path,
    Pending,
    Retry,
    Value,
    leaves,
)
from provisioner.talos.api.access import Access, Configured, Foreign, Maintenance, Silent
from provisioner.talos.api.errors import NoAnswer, Rejected
from provisioner.talos.config.encode import ConfigUnreadable, decode
from provisioner.talos.config.immediate import needs_reboot
from provisioner.talos.config.named import name_of
from provisioner.talos.config.redact import without_secrets
from provisioner.talos.kinds.node import ConfigOutputs, ConfigProps, as_node, digest_of
from provisioner.talos.kinds.quorum import etcd_of, joining

ConfigJob = Job[ConfigProps, ConfigOutputs]

PATIENCE = timedelta(seconds=30)
"""How long a machine may take to show an effect before it is asked the same again."""
POLL_S = 2.0
_UP = frozenset({"booting", "running"})


def create_config(client: Access, job: ConfigJob, ctx: Context) -> Answer:
    """Makes the machine a node. Done once it boots or runs with the wanted configuration.

    A control plane stays in `booting` until etcd is bootstrapped, so nothing more can be asked of it here.
    """
    wanted = _wanted(job)
    machine = _in_force(client, job, ctx, wanted)
    if not isinstance(machine, Configured):
        return machine
    return _done(wanted) if machine.stage in _UP else _wait(job, f"is {machine.stage}")


def update_config(client: Access, job: ConfigJob, ctx: Context) -> Answer:
    """Changes the configuration in place. Done once it is in force and the node is well again."""
    wanted = _wanted(job)
    machine = _in_force(client, job, ctx, wanted)
    if not isinstance(machine, Configured):
        return machine
    missing = _unwell(client, wanted, machine)
    return _wait(job, missing) if missing else _done(wanted)


def _in_force(client: Access, job: ConfigJob, ctx: Context, wanted: ConfigProps) -> Configured | Answer:
    """The machine with the wanted configuration in force; until then the step towards it."""
    match as_node(client.look([wanted.host])[wanted.host], wanted, job.applied):
        case Silent(reason):
            return _wait(job, f"waits for the machine to answer ({reason})")
        case Foreign(reason):
            raise _stranger(wanted, reason)
        case Maintenance(stage):
            return _deliver(client, job, ctx, wanted, stage)
        case Configured() as machine:
            return _bring_into_force(client, job, ctx, wanted, machine) or machine


def _deliver(client: Access, job: ConfigJob, ctx: Context, wanted: ConfigProps, stage: str) -> Answer:
    if wanted.delivery == "provider":
        raise _unknown(wanted)
    if stage != "maintenance":
        return _wait(job, f"is {stage}")
    if _sent_lately(job, ctx.now()):
        return _wait(job, "has its configuration, leaves maintenance")
    _apply(client, wanted, maintenance=True)
    return _sent(ctx.now(), "has been given its configuration")


def _bring_into_force(
    client: Access, job: ConfigJob, ctx: Context, wanted: ConfigProps, machine: Configured
) -> Pending | None:
    """Sends the configuration where the machine has another; None when it is in force."""
    if not _has(machine, wanted):
        if _sent_lately(job, ctx.now()):
            return _wait(job, "takes over its configuration")
        return _send(client, job, ctx, wanted, machine)
    if job.memo.get("boot_id") != machine.boot_id:
        return None
    if job.memo.get("reboot") == "asked" and _sent_lately(job, ctx.now()):
        return _wait(job, "is about to reboot")
    return _reboot(client, ctx, wanted, machine)


def _send(client: Access, job: ConfigJob, ctx: Context, wanted: ConfigProps, machine: Configured) -> Pending:
    if not needs_reboot(_changes(machine.active, wanted)):
        _apply(client, wanted, maintenance=False)
        return _sent(ctx.now(), "takes over its configuration")
    _guard_quorum(client, wanted, machine)
    if job.memo.get("boot_id") != machine.boot_id:
        note = "is going to reboot for its configuration"
        return Pending(phase="sent", memo={"boot_id": machine.boot_id}, after_s=0.0, note=note)
    by_itself = _apply(client, wanted, maintenance=False)
    note = "reboots for its configuration" if by_itself else "takes over its configuration"
    return _sent(ctx.now(), note, boot_id=machine.boot_id, reboot="asked" if by_itself else "due")


def _reboot(client: Access, ctx: Context, wanted: ConfigProps, machine: Configured) -> Pending:
    """Asks a machine that has its configuration for the boot that brings it into force."""
    _guard_quorum(client, wanted, machine)
    with suppress(NoAnswer):  # a lost answer says nothing about the outcome; the next look does
        client.reboot(wanted.host)
    return _sent(ctx.now(), "reboots for its configuration", boot_id=machine.boot_id, reboot="asked")


def _apply(client: Access, wanted: ConfigProps, *, maintenance: bool) -> bool:
    """Sends the configuration, and tells whether the machine reboots for it.

    A lost answer says nothing about the outcome; the next look does.
    """
    try:
        return client.apply(wanted.host, wanted.text, maintenance=maintenance).reboots
    except NoAnswer:
        return False
    except Rejected as err:
        raise _refused(wanted, err.message, exists=not maintenance) from None


def _has(machine: Configured, wanted: ConfigProps) -> bool:
    """Whether the machine runs with the wanted configuration and will also boot with it."""
    plain = wanted.plain
    active = _same(machine.active, plain)
    return active and (machine.persistent in (None, machine.active) or _same(machine.persistent or "", plain))


def _same(text: str, plain: object) -> bool:
    try:
        return decode(text) == plain
    except ConfigUnreadable:
        return False


def _unwell(client: Access, wanted: ConfigProps, machine: Configured) -> str:
    """What the node is missing; a node of a cluster without etcd need not be more than booting."""
    if machine.stage == "running" and machine.ready:
        return ""
    if machine.stage == "booting" and not _bootstrapped(client):
        return ""
    return "; ".join(machine.unmet) or f"is {machine.stage}"


def _bootstrapped(client: Access) -> bool:
    looks = client.look(client.control_planes.values(), configs=False)
    return any(isinstance(look, Configured) and look.has_etcd for look in looks.values())


def _guard_quorum(client: Access, wanted: ConfigProps, machine: Configured) -> None:
    """Refuses to make a control plane reboot while others are down: the rest must have a quorum."""
    if not machine.members:
        return
    looks = client.look(client.control_planes.values(), configs=False)
    etcd = etcd_of(client, client.control_planes, looks)
    member = etcd.member_of(wanted.node, wanted.host) if etcd else None
    newcomers = joining(etcd, client.control_planes, looks, but=wanted.node)
    if etcd and member and (objection := etcd.objection_to_pausing(member, newcomers)):
        raise Retry(
            "a control plane must not reboot while etcd has no member to spare",
            detail=f"{wanted.node}: {objection}",
            remedy="bring the other control planes back, or remove the dead one, and apply again",
            after_s=5.0,
        )


def _changes(text: str, wanted: ConfigProps) -> Iterator[FieldChange]:
    """The leaves in which a configuration's text and the wanted documents differ."""
    there, here = _leaves(decode(text)), _leaves(wanted.plain)
    for path in there.keys() | here.keys():
        before, after = there.get(path, ABSENT), here.get(path, ABSENT)
        if before != after:
            yield FieldChange(path, before, after)


def _leaves(documents: Iterable[Mapping[str, Value]]) -> dict[Path, Value]:
    return {path: leaf for document in documents for path, leaf in leaves(document, ("documents", name_of(document)))}


def _wanted(job: ConfigJob) -> ConfigProps:
    assert job.wanted is not None, "a configuration is made or changed with its wanted props"
    return job.wanted


def _sent_lately(job: ConfigJob, now: datetime) -> bool:
    sent = job.memo.get("sent_at")
    return sent is not None and now - datetime.fromisoformat(sent) < PATIENCE


def _sent(now: datetime, note: str, **memo: str) -> Pending:
    memory: Mapping[str, str] = {"sent_at": now.isoformat(), **memo}
    return Pending(phase="sent", memo=memory, after_s=POLL_S, note=note)


def _wait(job: ConfigJob, note: str) -> Pending:
    return Pending(phase=job.phase, memo=job.memo, after_s=POLL_S, note=note)


def _done(wanted: ConfigProps) -> Done[ConfigOutputs]:
    return Done(ConfigOutputs(id=wanted.node, digest=digest_of(wanted.text)))


def _stranger(wanted: ConfigProps, reason: str) -> OperatorNeeded:
    return OperatorNeeded(
        "the machine belongs to somebody else",
        detail=f"{wanted.node} at {wanted.host}: {reason}",
        remedy="check the address; if the machine is meant, wipe it (talosctl reset, with the talosconfig of its "
        "own cluster) or make it anew",
    )


def _unknown(wanted: ConfigProps) -> OperatorNeeded:
    return OperatorNeeded(
        "somebody without a configuration answers in place of a node",
        detail=f"{wanted.node} at {wanted.host}: only the machine's provider hands a configuration to this machine, "
        "since it knows which one that is",
        remedy="find out who answers there; if the machine itself has lost its configuration, make it anew: list the "
        "node under `without:` of its pool, apply, and take it back",
    )


def _refused(wanted: ConfigProps, message: str, *, exists: bool) -> Fatal:
    """The machine's complaint without the secrets it may quote."""
    return Fatal(
        "the machine rejects its configuration",
        detail=f"{wanted.node}: {without_secrets(message, wanted.documents)}",
        remedy="correct what the machine names, usually in a patch, and apply again",
        effect=exists,
    )
