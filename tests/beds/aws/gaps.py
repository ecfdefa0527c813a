"""What moto takes and then forgets: settings of an account, and profiles in the place of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beds.aws.rules import after

if TYPE_CHECKING:
    from beds.aws.bed import Bed
    from beds.aws.calls import Call


@after("ec2:CreateVolume")
def _account_encrypts_all_disks(bed: Bed, call: Call, result: dict[str, Any]) -> dict[str, Any] | None:
    ec2 = bed.ec2(call)
    if not ec2.ebs_encryption_by_default:
        return None
    ec2.volumes[result["VolumeId"]].encrypted = True
    return {**result, "Encrypted": True}


@after("ec2:ReplaceIamInstanceProfileAssociation")
def _machine_has_the_other_profile(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    told = result["IamInstanceProfileAssociation"]
    profile = {"Arn": told["IamInstanceProfile"]["Arn"], "Id": told["AssociationId"]}
    bed.ec2(call).modify_instance_attribute(told["InstanceId"], "iam_instance_profile", profile)
