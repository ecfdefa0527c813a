"""Images that are published in clouds with each release, and how they are found.

Source: the file `cloud-images.json` of each release of siderolabs/talos; `hack/cloud-image-uploader` there.
"""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

from provisioner.sdk import ProvError

RELEASES = "https://github.com/siderolabs/talos/releases/download"
"""Where releases have their files, unless told otherwise."""
AWS_OWNER = "540036508848"
"""The AWS account that owns the official images."""


class PublishedUnreadable(ProvError):
    """A list of published images that cannot be understood."""

    code = "published-images"


@frozen
class CloudImage:
    """One image in one place.

    cloud   `aws`, `azure` or `gcp`, and what may come
    region  the cloud's word for the place; `us` and the like where an image serves a whole continent
    arch    `amd64` or `arm64`
    kind    what the cloud calls it, such as `hvm`
    id      as the cloud takes it, such as `ami-0123456789abcdef0`
    """

    cloud: str
    region: str
    arch: str
    kind: str
    id: str
    version: str


def published_url(version: str, releases: str = RELEASES) -> str:
    """Where the list for a release is; `releases` is the address below which every release has its files."""
    return f"{releases.rstrip('/')}/v{version.removeprefix('v')}/cloud-images.json"


def published(text: str) -> tuple[CloudImage, ...]:
    """The images of a list, sorted; entries that lack something are passed over. Raises PublishedUnreadable."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise PublishedUnreadable(
            "the list of published images cannot be understood",
            detail="it is no JSON list",
            remedy="check the address it came from",
        )
    return tuple(sorted((image for item in found if (image := _image(item))), key=_order))


def aws_name(version: str, region: str, arch: str) -> str:
    """The name of the official image of AWS_OWNER in a region."""
    return f"talos-v{version.removeprefix('v')}-{region}-{arch}"


def gcp_name(version: str, arch: str) -> str:
    """The name of the official image on Google Cloud, whose names have no points."""
    return f"talos-v{version.removeprefix('v')}-{arch}".replace(".", "-")


def _image(item: Any) -> CloudImage | None:
    keys = ("cloud", "region", "arch", "type", "id", "version")
    if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in keys):
        return None
    return CloudImage(*(item[key] for key in keys))


def _order(image: CloudImage) -> tuple[str, ...]:
    return (image.cloud, image.region, image.arch, image.id)
