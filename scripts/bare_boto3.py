"""The floor of `make bench-aws`: instances made by a bare loop of boto3, as a process of its own.

    bare_boto3.py COUNT AT_ONCE TOLD

TOLD is JSON: `url`, `image`, `subnet`, `group`, `type` and `region`. Each instance is asked for as prov asks for it:
with a token, its system disk, the options of its metadata service, and tags on it, its disk and its interface. Then
it looks until all of them run. It prints seconds on the wall and of CPU, from loading boto3 to the end.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

TAGS = ("Name", "prov:address", "prov:key", "prov:lineage")


def order(told: dict[str, str], number: int) -> dict[str, Any]:
    """The arguments of RunInstances."""
    tags = [{"Key": key, "Value": f"bare-{number}"} for key in TAGS]
    kinds = ("instance", "volume", "network-interface")
    return {
        "ImageId": told["image"],
        "InstanceType": told["type"],
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": f"bare-{number}",
        "NetworkInterfaces": [
            {
                "DeviceIndex": 0,
                "SubnetId": told["subnet"],
                "Groups": [told["group"]],
                "AssociatePublicIpAddress": False,
                "DeleteOnTermination": True,
            }
        ],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"},
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {"DeleteOnTermination": True, "VolumeType": "gp3", "Encrypted": True},
            }
        ],
        "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in kinds],
    }


def main(count: int, at_once: int, told: dict[str, str]) -> None:
    began, used = time.monotonic(), time.process_time()
    import boto3  # its loading is part of what is measured, as it is for prov
    from botocore.config import Config

    config = Config(max_pool_connections=at_once, retries={"total_max_attempts": 1})
    ec2: Any = boto3.client(
        "ec2",
        region_name=told["region"],
        endpoint_url=told["url"],
        config=config,
    )

    def make(number: int) -> str:
        return str(ec2.run_instances(**order(told, number))["Instances"][0]["InstanceId"])

    with ThreadPoolExecutor(at_once) as pool:
        wanted = set(pool.map(make, range(count)))
    running: set[str] = set()
    while not wanted <= running:
        pages = ec2.get_paginator("describe_instances").paginate(MaxResults=1000)
        found = [one for page in pages for item in page["Reservations"] for one in item["Instances"]]
        running = {one["InstanceId"] for one in found if one["State"]["Name"] == "running"}
    sys.stdout.write(json.dumps({"wall": time.monotonic() - began, "cpu": time.process_time() - used}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
