"""How a configuration gets into a machine on each platform, and how large it may be there.

Talos unpacks gzip that comes from a platform, from whichever. Where the channel carries text only, gzip does not
get through. Limits are those of the platforms; Talos has none of its own.

Sources: siderolabs/talos v1.14, `internal/app/machined/pkg/runtime/v1alpha1/platform`; for the limits the pages
named in the rows.
"""

from __future__ import annotations

import base64
import gzip
from typing import Literal

from attrs import frozen


@frozen
class Channel:
    """One way into a machine of a platform.

    name     tells channels of one platform apart, such as `user-data`
    how      what carries the configuration, for people
    limit    bytes that fit, as `counted`; None where there is no limit, or none is known
    counted  whether the limit is on what Talos gets, or on its base64 text
    packed   whether gzip gets through
    source   where the limit was read
    """

    platform: str
    name: str
    how: str
    limit: int | None = None
    counted: Literal["plain", "base64"] = "plain"
    packed: bool = True
    source: str = ""

    def size(self, content: bytes) -> int:
        """How much of the limit a content takes."""
        return len(base64.b64encode(content)) if self.counted == "base64" else len(content)

    def fits(self, content: bytes) -> bool:
        return self.limit is None or self.size(content) <= self.limit

    def best(self, text: str) -> bytes:
        """What to hand over of a configuration: the text as it is, unless only gzip makes it fit."""
        plain = text.encode()
        if self.fits(plain) or not self.packed:
            return plain
        return gzip.compress(plain, 9, mtime=0)


_NO_LIMIT_KNOWN = "no limit is known to prov, so none is checked"

CHANNELS = (
    Channel("akamai", "user-data", "user-data of the metadata service", source=_NO_LIMIT_KNOWN),
    Channel("alibabacloud", "user-data", "user-data of the instance", source=_NO_LIMIT_KNOWN),
    Channel(
        "aws",
        "user-data",
        "user-data of the instance",
        16_384,
        source="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html",
    ),
    Channel(
        "azure",
        "custom-data",
        "custom data of the virtual machine",
        65_536,
        source="https://learn.microsoft.com/en-us/azure/virtual-machines/custom-data",
    ),
    Channel("cloudstack", "user-data", "user-data of the virtual machine", source=_NO_LIMIT_KNOWN),
    Channel("digital-ocean", "user-data", "user-data of the droplet", packed=False, source=_NO_LIMIT_KNOWN),
    Channel("equinixMetal", "user-data", "user-data of the device", packed=False, source=_NO_LIMIT_KNOWN),
    Channel("exoscale", "user-data", "user-data of the instance", source=_NO_LIMIT_KNOWN),
    Channel(
        "gcp",
        "user-data",
        "the metadata key `user-data` of the instance",
        262_144,
        packed=False,
        source="https://cloud.google.com/compute/docs/reference/rest/v1/Metadata",
    ),
    Channel(
        "hcloud",
        "user-data",
        "user-data of the server",
        32_768,
        packed=False,
        source="https://docs.hetzner.cloud/reference/cloud#servers-create-a-server",
    ),
    Channel("metal", "url", "the URL in the kernel argument `talos.config`"),
    Channel("metal", "metal-iso", "a volume labelled `metal-iso` with the file `config.yaml`"),
    Channel(
        "metal",
        "inline",
        "the kernel argument `talos.config.inline`, as base64 of zstd",
        4_096,
        source="the kernel's command line, which must hold everything else as well",
        packed=False,
    ),
    Channel("nocloud", "volume", "a volume labelled `cidata` with the file `user-data`"),
    Channel("nocloud", "smbios", "the SMBIOS serial number `ds=nocloud-net;s=URL`, which leads to `user-data`"),
    Channel("opennebula", "context", "`USER_DATA` of the context volume", source=_NO_LIMIT_KNOWN),
    Channel(
        "openstack",
        "user-data",
        "user-data of the server, on the config drive or from the metadata service",
        65_535,
        "base64",
        source="https://docs.openstack.org/nova/latest/user/metadata.html",
    ),
    Channel("oracle", "user-data", "the metadata key `user_data` of the instance", source=_NO_LIMIT_KNOWN),
    Channel("scaleway", "user-data", "user-data of the instance", source=_NO_LIMIT_KNOWN),
    Channel("upcloud", "user-data", "user-data of the server", packed=False, source=_NO_LIMIT_KNOWN),
    Channel(
        "vmware", "guestinfo", "`guestinfo.talos.config` of the virtual machine, as base64", source=_NO_LIMIT_KNOWN
    ),
    Channel("vultr", "user-data", "user-data of the instance", source=_NO_LIMIT_KNOWN),
)
"""Every channel by platform; the first one of a platform is the usual one."""


def channel(platform: str, name: str = "") -> Channel:
    """A platform's channel, the usual one unless named; KeyError for one there is not."""
    for each in CHANNELS:
        if each.platform == platform and name in ("", each.name):
            return each
    raise KeyError(f"{platform} {name}".rstrip())


TOO_LARGE = "a machine's configuration does not fit its platform"
SMALLER = "take something out of its patches, such as inline manifests, or deliver it through the maintenance API"


def too_large(node: str, size: int, through: Channel) -> str:
    """The detail of a problem with a configuration's size."""
    packed = " after gzip" if through.packed else ""
    encoded = " as base64" if through.counted == "base64" else ""
    return f"{node} has {size} bytes{packed}{encoded}; {through.how} on {through.platform} takes {through.limit}"
