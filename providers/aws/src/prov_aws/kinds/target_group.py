"""`aws.target_group`: machines that a balancer may send to, and how it tells whether they are well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked
from prov_aws.kinds.balancing import SERVICE, Balancing, named_by_key
from prov_aws.made import Family, Thing
from prov_aws.names import remote_name
from provisioner.sdk import Job, Value, output, prop

LONGEST = 32
_CLIENT_IP, _DRAIN = "preserve_client_ip.enabled", "deregistration_delay.timeout_seconds"


@frozen(kw_only=True)
class TargetGroupProps:
    """Machines of a `network` that answer TCP on `port`.

    client_ip  whether targets see the addresses of clients; a machine that calls itself through the balancer gets no
               answer then, so control planes have it off
    drain_s    how long connections may go on to a target that leaves, in seconds
    check_s    how often health is looked at, in seconds
    """

    name: str = prop()
    network: str = prop(immutable=True)
    port: int = prop(immutable=True)
    client_ip: bool = False
    drain_s: int = 30
    check_s: int = 10
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class TargetGroupOutputs:
    """`id` is the ARN."""

    id: str = output()


class TargetGroupKind(Balancing):
    """Target groups. Which machines are in one is a property of the machines."""

    props: ClassVar[type[Any]] = TargetGroupProps
    outputs: ClassVar[type[Any]] = TargetGroupOutputs
    family = Family("target group", "", "", "", "TargetGroupArn", "")

    def candidates(self, aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Iterable[Thing]:
        return named_by_key(aws, jobs, "describe_target_groups", "TargetGroup")

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: TargetGroupProps = asked(job)
        made = aws.call(
            SERVICE,
            "create_target_group",
            Name=remote_name(wanted.name, job.key, LONGEST),
            Protocol="TCP",
            Port=wanted.port,
            VpcId=wanted.network,
            TargetType="instance",
            HealthCheckProtocol="TCP",
            HealthCheckIntervalSeconds=wanted.check_s,
            Tags=self.born_with(job),
        )
        return {**made["TargetGroups"][0], "Tags": self.born_with(job)}

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        wanted, arn = asked(job), thing["TargetGroupArn"]
        if thing.get("HealthCheckIntervalSeconds") != wanted.check_s:
            seconds = wanted.check_s
            aws.call(SERVICE, "modify_target_group", TargetGroupArn=arn, HealthCheckIntervalSeconds=seconds)
        there = _attributes(aws, arn)
        values = {_CLIENT_IP: str(wanted.client_ip).lower(), _DRAIN: str(wanted.drain_s)}
        differ = [{"Key": key, "Value": value} for key, value in values.items() if there.get(key) != value]
        if differ:
            aws.call(SERVICE, "modify_target_group_attributes", TargetGroupArn=arn, Attributes=differ)
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call(SERVICE, "delete_target_group", TargetGroupArn=thing["TargetGroupArn"])
        return ""

    def closer(self, aws: Aws, things: Sequence[Thing]) -> Mapping[str, Any]:
        return {thing["TargetGroupArn"]: _attributes(aws, thing["TargetGroupArn"]) for thing in things}

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {
            "network": thing["VpcId"],
            "port": thing["Port"],
            "client_ip": more.get(_CLIENT_IP) == "true",
            "drain_s": int(more.get(_DRAIN, 300)),
            "check_s": thing.get("HealthCheckIntervalSeconds", 0),
        }


def _attributes(aws: Aws, arn: str) -> Mapping[str, str]:
    found = aws.call(SERVICE, "describe_target_group_attributes", TargetGroupArn=arn)["Attributes"]
    return {one["Key"]: one["Value"] for one in found}
