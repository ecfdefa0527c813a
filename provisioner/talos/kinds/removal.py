"""Taking a node out of its cluster, in the manner that was planned.

    leave          the node answers: it is drained, leaves etcd, wipes itself
        ""          the quorum allows it ──► "leaving", on record before anything is asked
        "leaving"   the reset is asked for ─► "resetting"
        "resetting" it answers no longer as ours, and etcd has no member of it ──► forgotten by Kubernetes
    renew          the same, for a node that will be made anew; one that was never finished stays as it is
    remove-member  the node is dead: etcd and Kubernetes are told to forget it
    teardown       the whole cluster goes: every machine wipes itself as it stands, the dead stay as they are
        ""          it answers ──► "wiping", on record before anything is asked
        "wiping"    the reset is asked for ─► "resetting"
        "resetting" it answers no longer as ours

Silence alone never counts as having left: a node that has not been asked to leave must also be gone from etcd,
or be missed by Kubernetes. A machine that had its configuration from user-data powers off after the reset,
since it would read it again and rejoin; one that got it through the API returns to maintenance.

A node that leaves for good, alone or with its cluster, also erases the disks that its record names: see `erasure`.
A machine whose provider starts it from elsewhere loses all of the disk Talos is on, whenever its node leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, frozen

from provisioner.sdk import ERASED, Answer, Context, Done, Fatal, Job, OperatorNeeded, Pending, Retry
from provisioner.talos.api.access import Access, Configured, Maintenance, Outlook, Silent, Wipe
from provisioner.talos.api.errors import NoAnswer
from provisioner.talos.kinds.delivery import PATIENCE
from provisioner.talos.kinds.erasure import DISKS, Order, cannot, order_of, seen_after, sparing
from provisioner.talos.kinds.node import ConfigOutputs, ConfigProps, as_node
from provisioner.talos.kinds.quorum import Etcd, etcd_of, joining

ConfigJob = Job[ConfigProps, ConfigOutputs]

POLL_S = 2.0
_GOING_DOWN = frozenset({"resetting", "rebooting", "shutting down"})


@frozen
class _Leaver:
    """The node that goes, as it was last on record. `role` is empty when even that is not known.

    `wipe` are the disks to erase; `spare` says that those which cannot be may stay as they are.
    """

    node: str
    host: str
    role: str
    delivery: str
    known: tuple[ConfigProps | None, ...]
    wipe: tuple[str, ...] = ()
    spare: bool = False

    @property
    def may_have_member(self) -> bool:
        return self.role != "worker"


@frozen
class _Scene:
    """The leaver's outlook, None when it has no host; etcd as the other control planes see it.

    `no_etcd` is true when all other control planes were reached and none has etcd. `joining` are those of them
    that answer as ours and have no vote in etcd yet.
    """

    outlook: Outlook | None
    etcd: Etcd | None
    no_etcd: bool
    joining: tuple[str, ...]


def leave(client: Access, job: ConfigJob, ctx: Context) -> Answer:
    """Lets a node that answers leave the cluster."""
    leaver = _leaver(client, job)
    scene = _look(client, leaver)
    if isinstance(scene.outlook, Configured):
        return _leave_alive(client, job, ctx, leaver, scene.outlook, scene)
    silent = isinstance(scene.outlook, Silent) and not scene.no_etcd
    if silent and not _may_have_left(client, job, leaver, scene.etcd):
        return _await_silent(job, leaver, scene.outlook)
    if telling := _tell_of_erasure(client, job, leaver, scene.outlook):
        return telling
    if scene.no_etcd:
        return Done(None)  # without etcd there is no cluster yet that the node could be part of
    if job.phase == "":
        ctx.say(f"{leaver.node} cannot be asked, so it is removed without it")
    return _forget(client, job, ctx, leaver, scene)


def renew(client: Access, job: ConfigJob, ctx: Context) -> Answer:
    """Makes way for the same node made anew. What was never finished is simply gone on with."""
    return Done(None) if job.outputs is None else leave(client, job, ctx)


def remove_member(client: Access, job: ConfigJob, ctx: Context) -> Answer:
    """Removes what the cluster still knows of a dead node; one that answers after all is let go in order."""
    leaver = _leaver(client, job)
    scene = _look(client, leaver)
    if isinstance(scene.outlook, Configured):
        ctx.say(f"{leaver.node} answers again, so it is asked to leave")
        return _leave_alive(client, job, ctx, leaver, scene.outlook, scene)
    if telling := _tell_of_erasure(client, job, leaver, scene.outlook):
        return telling
    return Done(None) if scene.no_etcd else _forget(client, job, ctx, leaver, scene)


def teardown(client: Access, job: ConfigJob, ctx: Context) -> Answer:
    """Wipes the machine without regard for the cluster, which goes as a whole."""
    leaver = _leaver(client, job)
    outlook = _own(leaver, client.look([leaver.host] if leaver.host else [], services=False))
    if not isinstance(outlook, Configured) and (telling := _tell_of_erasure(client, job, leaver, outlook)):
        return telling
    match outlook:
        case Configured() as machine:
            if machine.stage in _GOING_DOWN or _asked_lately(job, ctx.now()):
                return _wait(job, "wipes itself")
            if job.phase == "":  # else a run that is cut off after asking would take a dying machine for a sound one
                return _intend("wiping", client, job, ctx, leaver, "is about to be wiped")
            try:
                return _reset(client, ctx, leaver, graceful=False)
            except (Fatal, OperatorNeeded) as err:
                if leaver.wipe and not leaver.spare:
                    raise
                ctx.say(f"{leaver.node} refuses to wipe itself, so its disk keeps its data ({err.summary})")
                return Done(None)
        case Silent(reason) if job.phase == "":
            ctx.say(f"{leaver.node} does not answer ({reason}), so its disk keeps its data")
            return Done(None)
        case _:
            return Done(None)


def _leave_alive(
    client: Access, job: ConfigJob, ctx: Context, leaver: _Leaver, machine: Configured, scene: _Scene
) -> Answer:
    if machine.stage in _GOING_DOWN or _asked_lately(job, ctx.now()):
        return _wait(job, "drains, leaves and wipes itself")
    if leaver.may_have_member:
        etcd = scene.etcd or etcd_of(client, {leaver.node: leaver.host}, {leaver.host: machine})
        objection = _objection(leaver, etcd)
        if objection and scene.joining:
            return _wait(job, f"stays until {', '.join(scene.joining)} joined etcd")
        _object(leaver, objection)
    if job.phase == "":
        return _intend("leaving", client, job, ctx, leaver, "may leave")
    return _reset(client, ctx, leaver, graceful=True)


def _objection(leaver: _Leaver, etcd: Etcd | None) -> str:
    """Why etcd cannot spare the node's member; empty when it can, or has none of it."""
    member = etcd.member_of(leaver.node, leaver.host) if etcd else None
    return etcd.objection_to_leaving(member) if etcd and member else ""


def _object(leaver: _Leaver, objection: str) -> None:
    if objection:
        raise OperatorNeeded(
            "removing the node would cost etcd its quorum",
            detail=f"{leaver.node}: {objection}",
            remedy="bring the other control planes back, or add new ones; `prov destroy` removes the whole cluster",
        )


def _intend(phase: str, client: Access, job: ConfigJob, ctx: Context, leaver: _Leaver, note: str) -> Pending:
    """Puts on record that the node is about to be asked, once it is known to have the disks it is to erase."""
    memo = {**job.memo, **_order(client, ctx, leaver).memo}
    return Pending(phase=phase, memo=memo, after_s=0.0, note=note)


def _order(client: Access, ctx: Context, leaver: _Leaver) -> Order:
    """What the machine is asked to erase.

    Whose provider starts it from elsewhere gives up all of the disk Talos is on: what is left of one, such as its
    boot loader, keeps the next Talos from being installed.
    """
    whole = leaver.delivery == "provider"
    if not leaver.wipe:
        return Order(Wipe(whole))
    order = order_of(leaver.node, leaver.wipe, client.disks(leaver.host), spare=leaver.spare, say=ctx.say)
    return evolve(order, wipe=evolve(order.wipe, system=order.wipe.system or whole))


def _reset(client: Access, ctx: Context, leaver: _Leaver, *, graceful: bool) -> Pending:
    """Asks for the reset. A lost answer is no matter: the next look shows whether it began.

    A machine that has no system any more has nothing to boot from, so it powers off.
    """
    order = _order(client, ctx, leaver)
    reboot = leaver.delivery == "api" and not order.wipe.system
    answered = "yes"
    try:
        client.reset(leaver.host, graceful=graceful, reboot=reboot, wipe=order.wipe)
    except NoAnswer:
        answered = ""
        ctx.say(f"{leaver.node} was cut off while being asked to wipe itself")
    memo = {"asked_at": ctx.now().isoformat(), "answered": answered, **order.memo}
    return Pending(phase="resetting", memo=memo, after_s=POLL_S, note=order.note)


def _tell_of_erasure(client: Access, job: ConfigJob, leaver: _Leaver, outlook: Outlook | None) -> Pending | None:
    """Puts on record what is known of the erasure, of a node that does not answer as ours; None where it is.

    Raises OperatorNeeded where nothing was erased, unless that is accepted.
    """
    if not leaver.wipe or ERASED in job.memo:
        return None
    if isinstance(outlook, Maintenance) and job.phase:
        seen = seen_after(leaver.node, leaver.wipe, client.disks(leaver.host, maintenance=True), spare=leaver.spare)
    elif job.phase and (job.phase != "resetting" or not job.memo.get("answered")):
        seen = f"{job.memo.get(DISKS, ', '.join(leaver.wipe))}: was about to be asked, and has gone silent"
    elif job.phase:
        seen = f"{job.memo.get(DISKS, '')}: agreed to erase, and has gone down"
    elif leaver.spare:
        seen = sparing(leaver.wipe, outlook)
    else:
        raise cannot(leaver.node, leaver.host, leaver.wipe, outlook)
    return Pending(phase=job.phase, memo={**job.memo, ERASED: seen}, after_s=0.0, note=seen)


def _may_have_left(client: Access, job: ConfigJob, leaver: _Leaver, etcd: Etcd | None) -> bool:
    """Whether a silent node has left, or is dead, by what others say of it."""
    if job.phase == "resetting":
        return True
    out_of_etcd = etcd is not None and etcd.member_of(leaver.node, leaver.host) is None
    if job.phase == "leaving" and leaver.may_have_member and out_of_etcd:
        return True
    known = client.kubernetes_nodes().get(leaver.node)
    return known is None or not known.ready


def _await_silent(job: ConfigJob, leaver: _Leaver, outlook: Outlook | None) -> Answer:
    reason = outlook.reason if isinstance(outlook, Silent) else ""
    if job.phase:
        return _wait(job, "does not answer; waits for Kubernetes to notice")
    raise Retry(
        "a node that is to leave does not answer",
        detail=f"{leaver.node} at {leaver.host}: {reason}; Kubernetes still hears from it",
        remedy="check the way from here to the node's port 50000",
        after_s=5.0,
    )


def _forget(client: Access, job: ConfigJob, ctx: Context, leaver: _Leaver, scene: _Scene) -> Answer:
    """Takes what is left of the node out of etcd, then out of Kubernetes."""
    if leaver.may_have_member:
        etcd = scene.etcd
        if etcd is None:
            raise Retry(
                "no control plane tells who is in etcd",
                detail=f"it is not known whether {leaver.node} still has a member there",
                remedy="bring a control plane back; to remove the whole cluster, use `prov destroy`",
                after_s=5.0,
            )
        if member := etcd.member_of(leaver.node, leaver.host):
            if isinstance(scene.outlook, Silent) and _asked_lately(job, ctx.now()):
                return _wait(job, "leaves etcd")
            _object(leaver, etcd.objection_to_removing(member))
            client.remove_member(etcd.via, member.id)
            ctx.say(f"{leaver.node} is taken out of etcd")
            return _wait(job, "is taken out of etcd")
    client.delete_kubernetes_node(leaver.node)
    return Done(None)


def _look(client: Access, leaver: _Leaver) -> _Scene:
    others = {node: host for node, host in client.control_planes.items() if node != leaver.node}
    asked = [*others.values(), leaver.host] if leaver.host else [*others.values()]
    looks = client.look(asked)
    reached = [look for host in others.values() if isinstance(look := looks[host], Configured | Maintenance)]
    bare = len(reached) == len(others) and not any(isinstance(look, Configured) and look.has_etcd for look in reached)
    etcd = etcd_of(client, others, looks)
    return _Scene(_own(leaver, looks), etcd, bare, joining(etcd, others, looks, but=leaver.node))


def _own(leaver: _Leaver, looks: Mapping[str, Outlook]) -> Outlook | None:
    outlook = looks.get(leaver.host)
    return None if outlook is None else as_node(outlook, *leaver.known)


def _leaver(client: Access, job: ConfigJob) -> _Leaver:
    node, on_record = job.address.name, (job.applied, job.wanted)
    props = job.applied or job.wanted
    if props is None:
        return _Leaver(node, client.nodes.get(node, ""), "", "", on_record)
    manner, _, spare = job.how.partition("/")
    wipe = job.applied.wipe if job.applied is not None and manner != "renew" else ()
    return _Leaver(node, props.host, props.role, props.delivery, on_record, wipe, bool(spare))


def _asked_lately(job: ConfigJob, now: datetime) -> bool:
    asked = job.memo.get("asked_at")
    return asked is not None and now - datetime.fromisoformat(asked) < PATIENCE


def _wait(job: ConfigJob, note: str) -> Pending:
    return Pending(phase=job.phase, memo=job.memo, after_s=POLL_S, note=note)
