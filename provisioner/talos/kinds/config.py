"""The configuration of one node, on its machine.

One resource per node, named after it. Creating it brings a machine to life as that node; removing it takes
the node out of the cluster. How either happens is told in `delivery` and `removal`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from provisioner.sdk import (
    Absent,
    Address,
    Answer,
    Context,
    Erasure,
    FieldChange,
    Job,
    Reading,
    Seen,
    Unreachable,
)
from provisioner.talos.api.access import Access, Configured, Foreign, Maintenance, Outlook, Silent
from provisioner.talos.config.encode import decode
from provisioner.talos.config.immediate import needs_reboot
from provisioner.talos.config.redact import mark_secrets
from provisioner.talos.kinds.delivery import create_config, update_config
from provisioner.talos.kinds.erasure import SPARING, obstacle
from provisioner.talos.kinds.node import ConfigOutputs, ConfigProps, as_node, digest_of
from provisioner.talos.kinds.removal import leave, remove_member, renew, teardown

_THE_CLUSTER = (Address("talos.secrets", "cluster"), Address("talos.bootstrap", "cluster"))
"""What a cluster is lost without."""
ConfigJob = Job[ConfigProps, ConfigOutputs]


class ConfigKind:
    """`talos.config`."""

    props: ClassVar[type[Any]] = ConfigProps
    outputs: ClassVar[type[Any]] = ConfigOutputs

    def read(self, client: Access, jobs: Sequence[ConfigJob], ctx: Context) -> Mapping[str, Reading]:
        """The configuration each machine runs with. A machine in maintenance has none."""
        hosts = {job.key: _host(client, job) for job in jobs}
        looks = client.look({host for host in hosts.values() if host}, services=False)
        return {job.key: _reading(job, looks.get(hosts[job.key])) for job in jobs}

    def create(self, client: Access, job: ConfigJob, ctx: Context) -> Answer:
        return create_config(client, job, ctx)

    def update(self, client: Access, job: ConfigJob, ctx: Context) -> Answer:
        return update_config(client, job, ctx)

    def delete(self, client: Access, job: ConfigJob, ctx: Context) -> Answer:
        match job.how.partition("/")[0]:
            case "teardown":
                return teardown(client, job, ctx)
            case "remove-member":
                return remove_member(client, job, ctx)
            case "renew":
                return renew(client, job, ctx)
            case _:
                return leave(client, job, ctx)

    def how(self, address: Address, going: frozenset[Address], reading: Reading | None) -> tuple[str, str]:
        """See `removal`. With the secrets or the etcd data goes the cluster; a node that does not go is made anew."""
        if not going.isdisjoint(_THE_CLUSTER):
            return "teardown", "wiped together with the whole cluster"
        if isinstance(reading, Unreachable | Absent):
            return "remove-member", (
                "does not answer as a node of this cluster: its etcd member, if it has one, and its "
                "Kubernetes node are removed without it"
            )
        etcd = "" if _role_in(reading) == "worker" else "leaves etcd (one member fewer), "
        what = f"drained, {etcd}wiped, and removed from Kubernetes"
        return ("leave", what) if address in going else ("renew", f"{what}, then made anew")

    def erasure(self, props: Mapping[str, Any], how: str, reading: Reading | None) -> Erasure | None:
        """The disks on record; only a machine that runs as the node can erase them. One made anew keeps them."""
        disks = tuple(props.get("wipe") or ())
        return None if not disks or how == "renew" else Erasure(disks, obstacle(reading), f"{how}/{SPARING}")

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        inside = [change for change in changes if change.path[0] == "documents" and len(change.path) > 1]
        if not inside:
            return ""
        return "reboots the node" if needs_reboot(inside) else "live"


def _host(client: Access, job: ConfigJob) -> str:
    """Where the node was reached last, else where it will be; empty while there is no machine."""
    props = job.applied or job.wanted
    return (props.host if props else "") or client.nodes.get(job.address.name, "")


def _reading(job: ConfigJob, outlook: Outlook | None) -> Reading:
    if outlook is None:
        return Absent()  # there is no machine yet
    match as_node(outlook, job.applied, job.wanted):
        case Maintenance():
            return Absent()
        case Silent(reason) | Foreign(reason):
            return Unreachable(reason)
        case Configured() as machine:
            return _seen(job, machine)


def _seen(job: ConfigJob, machine: Configured) -> Seen:
    """What the machine has, on disk or in force: of the two the one that is not as recorded, if they differ."""
    expected = job.applied or job.wanted
    text = machine.active
    if machine.persistent is not None and machine.persistent != machine.active:
        as_recorded = expected is not None and decode(text) == expected.plain
        text = machine.persistent if as_recorded else machine.active
    documents = mark_secrets(decode(text))
    return Seen({"documents": documents}, {"id": job.address.name, "digest": digest_of(text)})


def _role_in(reading: Reading | None) -> str:
    """`controlplane` or `worker`, as the configuration that was read says; empty when nothing was read."""
    if not isinstance(reading, Seen):
        return ""
    documents: Any = reading.props.get("documents") or ()
    types = [(doc.get("machine") or {}).get("type") for doc in documents if "kind" not in doc]
    return str(next(iter(types), "") or "")
