"""`aws.listener`: a port of a balancer, and where it leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Missing
from prov_aws.jobs import asked, said
from prov_aws.kinds.balancing import SERVICE, Balancing
from prov_aws.made import Family, Thing
from provisioner.sdk import FieldChange, Job, Value, output, prop


@frozen(kw_only=True)
class ListenerProps:
    """TCP on `port` of a `balancer`, sent on to a `target_group`; both by ARN."""

    name: str = prop()
    balancer: str = prop(immutable=True)
    port: int = prop(immutable=True)
    target_group: str = prop()
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class ListenerOutputs:
    """`id` is the ARN."""

    id: str = output()


class ListenerKind(Balancing):
    """Listeners of balancers."""

    props: ClassVar[type[Any]] = ListenerProps
    outputs: ClassVar[type[Any]] = ListenerOutputs
    grave = frozenset({"target_group"})
    family = Family("listener", "", "", "", "ListenerArn", "")

    def candidates(self, aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Iterable[Thing]:
        for balancer in {balancer for job in jobs if (balancer := _balancer_of(job))}:
            try:
                yield from aws.pages(SERVICE, "describe_listeners", "Listeners", LoadBalancerArn=balancer)
            except Missing:
                continue

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: ListenerProps = asked(job)
        made = aws.call(
            SERVICE,
            "create_listener",
            LoadBalancerArn=wanted.balancer,
            Protocol="TCP",
            Port=wanted.port,
            DefaultActions=_forward(wanted.target_group),
            Tags=self.born_with(job),
        )
        return {**made["Listeners"][0], "Tags": self.born_with(job)}

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        if _target(thing) != asked(job).target_group:
            actions = _forward(asked(job).target_group)
            aws.call(SERVICE, "modify_listener", ListenerArn=thing["ListenerArn"], DefaultActions=actions)
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call(SERVICE, "delete_listener", ListenerArn=thing["ListenerArn"])
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {"balancer": thing["LoadBalancerArn"], "port": thing["Port"], "target_group": _target(thing)}

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        return "leads elsewhere" if any(change.path[0] == "target_group" for change in changes) else ""


def _forward(target_group: str) -> list[dict[str, str]]:
    return [{"Type": "forward", "TargetGroupArn": target_group}]


def _target(thing: Thing) -> str:
    actions: Any = thing.get("DefaultActions") or ({},)
    return str(actions[0].get("TargetGroupArn", ""))


def _balancer_of(job: Job[Any, Any]) -> str:
    """The balancer of a job's listener, whose ARN begins like that of the listener."""
    props = said(job)
    if props is not None:
        return str(props.balancer)
    return (job.id or "").rpartition("/")[0].replace(":listener/", ":loadbalancer/")
