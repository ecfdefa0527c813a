"""The gate that a cluster is healthy: machines, etcd and Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from provisioner.sdk import Answer, Context, Done, Job, Pending, output, prop
from provisioner.talos.api.access import Access
from provisioner.talos.health.checks import examine, take_picture

POLL_S = 3.0


@frozen
class HealthProps:
    """Names of the nodes that shall be there.

    `configs` has the digest of each node's configuration: a change of any makes the gate look again.
    """

    control_planes: tuple[str, ...] = prop()
    workers: tuple[str, ...] = prop()
    configs: Mapping[str, str] = prop()


@frozen
class HealthOutputs:
    """`id` is the cluster's name."""

    id: str = output()


class HealthGate:
    """`talos.health`."""

    props: ClassVar[type[Any]] = HealthProps
    outputs: ClassVar[type[Any]] = HealthOutputs

    def check(self, client: Access, job: Job[HealthProps, HealthOutputs], ctx: Context) -> Answer:
        """Done when every condition holds; the note is about the first that does not."""
        assert job.wanted is not None
        conditions = examine(take_picture(client, job.wanted.control_planes, job.wanted.workers))
        missing = [condition for condition in conditions if not condition.holds]
        if not missing:
            return Done(HealthOutputs(id=client.name))
        passed = (len(conditions) - len(missing)) / len(conditions)
        return Pending(after_s=POLL_S, note=missing[0].sentence, progress=passed)
