"""What most tests of the bed stand on: a network, an image, instances and a balancer, made with boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen
from beds.aws.bed import Bed
from botocore.exceptions import ClientError


@frozen
class Ground:
    """Ids of what is there."""

    ec2: Any
    elbv2: Any
    image: str
    vpc: str
    subnet: str
    group: str

    @classmethod
    def prepare(cls, bed: Bed) -> Ground:
        ec2 = bed.client("ec2")
        image = bed.publish_talos("v1.13.9")["x86_64"]
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc)["GroupId"]
        return cls(ec2, bed.client("elbv2"), image, vpc, subnet, group)

    def run(self, **more: Any) -> str:
        """An instance; gives its id."""
        asked: dict[str, Any] = {
            "ImageId": self.image,
            "InstanceType": "m7i.large",
            "MinCount": 1,
            "MaxCount": 1,
            "SubnetId": self.subnet,
            "SecurityGroupIds": [self.group],
            **more,
        }
        return str(self.ec2.run_instances(**asked)["Instances"][0]["InstanceId"])

    def state(self, instance: str) -> str:
        """How an instance stands; a look like any other."""
        return str(self.instances(InstanceIds=[instance])[0]["State"]["Name"])

    def instances(self, **asked: Any) -> list[dict[str, Any]]:
        found = self.ec2.describe_instances(**asked)["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]

    def running(self, **more: Any) -> str:
        """An instance that runs."""
        instance = self.run(**more)
        while self.state(instance) != "running":
            pass
        return instance

    def balancer(self, name: str = "api") -> str:
        """A network balancer; gives its ARN."""
        made = self.elbv2.create_load_balancer(Name=name, Type="network", Subnets=[self.subnet])
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def target_group(self, name: str = "api") -> str:
        made = self.elbv2.create_target_group(
            Name=name, Protocol="TCP", Port=6443, VpcId=self.vpc, TargetType="instance"
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, balancer: str, group: str, port: int = 6443) -> str:
        actions = [{"Type": "forward", "TargetGroupArn": group}]
        made = self.elbv2.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=port, DefaultActions=actions)
        return str(made["Listeners"][0]["ListenerArn"])


def refusal(work: Callable[[], Any]) -> str:
    """The code of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        work()
    return str(caught.value.response["Error"]["Code"])
