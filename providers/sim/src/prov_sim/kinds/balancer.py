"""`sim.balancer`: one address in front of a group's control planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from prov_sim.control import Control
from prov_sim.errors import as_provider_errors
from prov_sim.kinds.reading import find_all, read_all
from provisioner.sdk import Answer, Context, Done, Job, Reading, Seen, output, prop


@frozen
class BalancerProps:
    """A balancer forwards to the control planes among the machines of its group."""

    name: str = prop(immutable=True)
    group: str = prop(immutable=True)


@frozen
class BalancerOutputs:
    """`host` is the loopback address on which it listens."""

    id: str = output()
    host: str = output()


class BalancerKind:
    """Balancers of a daemon; they exist as soon as they are asked for."""

    props: ClassVar[type[Any]] = BalancerProps
    outputs: ClassVar[type[Any]] = BalancerOutputs

    def read(
        self, client: Control, jobs: Sequence[Job[BalancerProps, BalancerOutputs]], ctx: Context
    ) -> Mapping[str, Reading]:
        """One list call for all jobs."""
        return read_all(client, jobs, "balancers", _seen)

    def create(self, client: Control, job: Job[BalancerProps, BalancerOutputs], ctx: Context) -> Answer:
        """Finds the balancer of the key, or makes it."""
        assert job.wanted is not None, "the engine creates with known props"
        with as_provider_errors():
            balancer = client.call(
                "create_balancer", key=job.key, lineage=job.lineage, name=job.wanted.name, group=job.wanted.group
            )
        return Done(BalancerOutputs(id=balancer["id"], host=balancer["address"]))

    def update(self, client: Control, job: Job[BalancerProps, BalancerOutputs], ctx: Context) -> Answer:
        """Nothing of a balancer changes in place."""
        assert job.outputs is not None, "only what was made is updated"
        return Done(job.outputs)

    def delete(self, client: Control, job: Job[BalancerProps, BalancerOutputs], ctx: Context) -> Answer:
        """Removes the balancer; without a daemon there is nothing to remove."""
        with as_provider_errors():
            client.ask_if_running("delete_balancer", key=job.key, id=job.id, lineage=job.lineage)
        return Done(None)

    def find(self, client: Control, ids: Sequence[str], ctx: Context) -> Mapping[str, Reading]:
        """Balancers by the id that the daemon gave them."""
        return find_all(client, ids, "balancers", _seen)

    def adopt(self, client: Control, job: Job[BalancerProps, BalancerOutputs], ctx: Context) -> Answer:
        """Puts our key on the balancer; one of another state is refused."""
        with as_provider_errors():
            balancer = client.ask("adopt_balancer", key=job.key, id=job.id, lineage=job.lineage)
        return Done(BalancerOutputs(id=balancer["id"], host=balancer["address"]))


def _seen(balancer: Mapping[str, Any]) -> Seen:
    outputs = {"id": balancer["id"], "host": balancer["address"]}
    return Seen({"name": balancer["name"], "group": balancer["group"]}, outputs)
