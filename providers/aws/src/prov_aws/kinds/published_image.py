"""`aws.published_image`: an image (AMI) that somebody publishes under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked
from prov_aws.made import as_filters
from prov_aws.settings import TALOS_OWNER
from provisioner.sdk import Absent, Context, Job, Reading, Seen, output


@frozen(kw_only=True)
class PublishedImageProps:
    """The newest image of `owner` called `image`, in which `{version}`, `{region}` and `{arch}` are filled in.

    `*` stands for any characters. An account is a number, or `amazon`, `aws-marketplace`, `self`.
    """

    image: str = "talos-{version}-{region}-{arch}"
    owner: str = TALOS_OWNER
    version: str = ""
    arch: str = "amd64"


@frozen
class PublishedImageOutputs:
    """`root_device` is such as `/dev/xvda`."""

    id: str = output()
    name: str = output()
    root_device: str = output()


class PublishedImageKind:
    """Finds images."""

    props: ClassVar[type[Any]] = PublishedImageProps
    outputs: ClassVar[type[Any]] = PublishedImageOutputs

    def read(self, client: Aws, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        return {job.key: self._found(client, asked(job)) for job in jobs}

    def _found(self, aws: Aws, wanted: PublishedImageProps) -> Reading:
        name = wanted.image.replace("{version}", wanted.version).replace("{arch}", wanted.arch)
        name = name.replace("{region}", aws.region)
        filters = as_filters({"name": [name], "state": ["available"]})
        listed = list(aws.pages("ec2", "describe_images", "Images", Owners=[wanted.owner], Filters=filters))
        if not listed:
            return Absent()
        newest = max(listed, key=lambda image: (image.get("CreationDate", ""), image["ImageId"]))
        outputs = {
            "id": newest["ImageId"],
            "name": newest.get("Name", ""),
            "root_device": newest.get("RootDeviceName") or "/dev/xvda",
        }
        return Seen({"image": wanted.image, "owner": wanted.owner}, outputs)
