"""The birth of the cluster's etcd, which happens exactly once.

It is observed, never remembered: a second bootstrap on another control plane would make a second cluster that
never merges with the first. So etcd counts as absent only when every control plane was reached, none has it, and
Kubernetes, which cannot live without it, does not answer either: the file may name new control planes only, while
etcd is still on the old ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from attrs import frozen

from provisioner.sdk import (
    Absent,
    Answer,
    Context,
    Done,
    Job,
    Pending,
    ProviderError,
    Reading,
    Seen,
    Unreachable,
    output,
    prop,
)
from provisioner.talos.api.access import Access, Configured, Foreign, Outlook, Silent
from provisioner.talos.api.errors import Exists, NoAnswer, NotYet

PATIENCE = timedelta(seconds=60)
"""How long etcd may take to show up before the call is repeated: a reboot at once after it forgets it."""
POLL_S = 2.0


@frozen
class BootstrapProps:
    """`node` is the control plane on which etcd starts."""

    node: str = prop(birth=True)


@frozen
class BootstrapOutputs:
    """`id` is the cluster's name: it has one etcd."""

    id: str = output()


BootstrapJob = Job[BootstrapProps, BootstrapOutputs]


class BootstrapKind:
    """`talos.bootstrap`."""

    props: ClassVar[type[Any]] = BootstrapProps
    outputs: ClassVar[type[Any]] = BootstrapOutputs
    precious: ClassVar[str] = "the cluster's etcd data"

    def read(self, client: Access, jobs: Sequence[BootstrapJob], ctx: Context) -> Mapping[str, Reading]:
        looks = _looks(client)
        if any(_has_etcd(look) for look in looks.values()):
            return {job.key: Seen({}, {"id": client.name}) for job in jobs}
        silent = [f"{node}: {look.reason}" for node, look in looks.items() if isinstance(look, Silent | Foreign)]
        if silent:
            return {job.key: Unreachable("; ".join(silent)) for job in jobs}
        reading: Reading = Seen({}, {"id": client.name}) if _kubernetes_answers(client) else Absent()
        return {job.key: reading for job in jobs}

    def create(self, client: Access, job: BootstrapJob, ctx: Context) -> Answer:
        """Done once etcd runs and is healthy, wherever it was started."""
        assert job.wanted is not None
        looks = _looks(client)
        if any(_has_etcd(look) for look in looks.values()):
            return _when_healthy(client, job, looks)
        return _begin(client, job, ctx, job.wanted.node, looks)

    def update(self, client: Access, job: BootstrapJob, ctx: Context) -> Answer:
        return Done(job.outputs)

    def delete(self, client: Access, job: BootstrapJob, ctx: Context) -> Answer:
        """Nothing to do: etcd goes with the machines' disks."""
        return Done(None)


def _begin(client: Access, job: BootstrapJob, ctx: Context, node: str, looks: Mapping[str, Outlook]) -> Answer:
    """Asks for the bootstrap, if it is certain that etcd is nowhere and the node can be asked."""
    away = sorted(name for name in {node, *looks} if not isinstance(looks.get(name), Configured))
    if away:
        return _wait(job, f"waits for {', '.join(away)} to answer")
    if _called_lately(job, ctx.now()):
        return _wait(job, f"etcd starts on {node}")
    stage = getattr(looks[node], "stage", "")
    if stage not in ("booting", "running"):
        return _wait(job, f"{node} is {stage}")
    try:
        client.bootstrap(client.control_planes[node])
    except Exists:
        pass  # its etcd has data and is about to start: the next look sees it
    except NotYet as err:
        return _wait(job, f"{node} is not ready to bootstrap ({err.message})")
    except NoAnswer as err:
        return _wait(job, f"{node} did not answer ({err.reason})")
    memo = {"called_at": ctx.now().isoformat()}
    return Pending(phase="called", memo=memo, after_s=POLL_S, note=f"etcd starts on {node}")


def _when_healthy(client: Access, job: BootstrapJob, looks: Mapping[str, Outlook]) -> Answer:
    for look in looks.values():
        if isinstance(look, Configured) and look.runs("etcd") and look.members:
            return Done(BootstrapOutputs(id=client.name))
    return _wait(job, "etcd runs, but is not healthy yet")


def _looks(client: Access) -> dict[str, Outlook]:
    """The outlook of every control plane, by node name."""
    looks = client.look(client.control_planes.values(), configs=False)
    return {node: looks[host] for node, host in sorted(client.control_planes.items())}


def _has_etcd(look: Outlook) -> bool:
    return isinstance(look, Configured) and look.has_etcd


def _kubernetes_answers(client: Access) -> bool:
    try:
        client.kubernetes_nodes()
    except ProviderError:
        return False
    return True


def _called_lately(job: BootstrapJob, now: datetime) -> bool:
    called = job.memo.get("called_at")
    return called is not None and now - datetime.fromisoformat(called) < PATIENCE


def _wait(job: BootstrapJob, note: str) -> Pending:
    return Pending(phase=job.phase, memo=job.memo, after_s=POLL_S, note=note)
