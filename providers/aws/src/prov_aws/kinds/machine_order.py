"""What EC2 is asked for when a machine is made; the same for the same job, as its client token demands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prov_aws.jobs import asked
from prov_aws.marks import marked, pairs
from prov_aws.settings import Volume, wish
from prov_aws.userdata import packed
from provisioner.sdk import Job


def order(job: Job[Any, Any]) -> dict[str, Any]:
    """The arguments of RunInstances."""
    wanted = asked(job)
    return {
        "ImageId": wanted.image,
        "InstanceType": wanted.type,
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": job.key,
        "NetworkInterfaces": [_interface(wanted)],
        "MetadataOptions": metadata(wanted),
        "BlockDeviceMappings": _disks(wanted),
        "TagSpecifications": _tags(job),
        **_choices(wanted),
    }


def metadata(wanted: Any) -> dict[str, Any]:
    """The metadata service: with session tokens only, and not farther than the hop limit."""
    six = {"HttpProtocolIpv6": "enabled"} if wanted.ipv6 else {}
    return {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": wanted.hop_limit,
        "HttpEndpoint": "enabled",
        **six,
    }


def _choices(wanted: Any) -> dict[str, Any]:
    """What is only said where it is wanted."""
    chosen: dict[str, Any] = {}
    if wanted.user_data is not None:
        chosen["UserData"] = packed(str(wanted.user_data.reveal()))
    if wanted.profile:
        chosen["IamInstanceProfile"] = {"Arn" if wanted.profile.startswith("arn:") else "Name": wanted.profile}
    if wanted.group:
        chosen["Placement"] = {"GroupName": wanted.group}
    if wanted.spot:
        options = {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"}
        if wanted.spot_price:
            options["MaxPrice"] = str(wanted.spot_price)
        chosen["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": options}
    return chosen


def _interface(wanted: Any) -> dict[str, Any]:
    return {
        "DeviceIndex": 0,
        "SubnetId": wanted.subnet,
        "Groups": sorted(wanted.security_groups),
        "AssociatePublicIpAddress": wanted.public,
        "DeleteOnTermination": True,
        **({"Ipv6AddressCount": 1} if wanted.ipv6 else {}),
    }


def _disks(wanted: Any) -> list[dict[str, Any]]:
    root = {**wanted.root, "device": wanted.root_device, "size_gib": wanted.root_gib}
    return [_disk(root, "root"), *(_disk(one, "volumes") for one in wanted.volumes)]


def _disk(given: Mapping[str, Any], what: str) -> dict[str, Any]:
    disk: Volume = wish(Volume, given, what)
    ebs: dict[str, Any] = {"DeleteOnTermination": True, "VolumeType": disk.type, "Encrypted": disk.encrypted}
    more = {
        "VolumeSize": disk.size_gib,
        "Iops": disk.iops,
        "Throughput": disk.throughput,
        "KmsKeyId": disk.key,
        "SnapshotId": disk.snapshot,
    }
    return {"DeviceName": disk.device, "Ebs": {**ebs, **{name: value for name, value in more.items() if value}}}


def _tags(job: Job[Any, Any]) -> list[dict[str, Any]]:
    """The machine bears the key; what comes and goes with it bears its name and its owner."""
    whole = marked(job, asked(job).name, asked(job).tags)
    return [{"ResourceType": type_, "Tags": pairs(whole)} for type_ in ("instance", "volume", "network-interface")]
