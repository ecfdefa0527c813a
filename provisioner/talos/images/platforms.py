"""What the Image Factory makes for each platform, as a table.

Sources: siderolabs/talos, `pkg/imager/profile/default.go` (forms and sizes); siderolabs/image-factory
v1.5.0, `internal/profile` (which forms it takes).
"""

from __future__ import annotations

from attrs import frozen

from provisioner.sdk import ProvError, did_you_mean

ARCHITECTURES = ("amd64", "arm64")

_CONTAINERS = ("raw", "qcow2", "vhd", "ova")
_COMPRESSIONS = ("", "gz", "xz", "zst", "tar.gz")
DISK_FORMS = tuple(f"{form}.{end}".rstrip(".") for form in _CONTAINERS for end in _COMPRESSIONS)
"""Every form in which the factory makes disk images."""

_SMALL, _LARGE, _LARGEST = 2246, 8192, 10240


class NoSuchImage(ProvError):
    """A boot artifact that nobody makes."""

    code = "image"


@frozen
class Platform:
    """One platform of Talos.

    form      of its disk image, as a file's ending; empty where there is none and machines boot by PXE or ISO
    size_mib  of the disk image once it is unpacked, from Talos 1.11 on; 0 without one, and where it is not known
    """

    name: str
    form: str
    size_mib: int


_ROWS = (
    Platform("akamai", "raw.gz", 0),
    Platform("alibabacloud", "qcow2", 0),
    Platform("aws", "raw.xz", _LARGE),
    Platform("azure", "vhd.xz", _LARGE),
    Platform("cloudstack", "raw.gz", 0),
    Platform("digital-ocean", "raw.gz", _LARGE),
    Platform("equinixMetal", "", 0),
    Platform("exoscale", "qcow2", _LARGEST),
    Platform("gcp", "raw.tar.gz", _LARGE),
    Platform("hcloud", "raw.xz", _SMALL),
    Platform("metal", "raw.zst", _SMALL),
    Platform("nocloud", "raw.xz", _SMALL),
    Platform("opennebula", "raw.zst", _SMALL),
    Platform("openstack", "raw.xz", _SMALL),
    Platform("oracle", "qcow2", _LARGE),
    Platform("scaleway", "raw.zst", _SMALL),
    Platform("upcloud", "raw.xz", _LARGE),
    Platform("vmware", "ova", _LARGE),
    Platform("vultr", "", 0),
)
PLATFORMS = {row.name: row for row in _ROWS}
"""By name, in the order of their names."""


def platform(name: str) -> Platform:
    """The row of a platform; raises NoSuchImage."""
    row = PLATFORMS.get(name)
    if row is None:
        raise NoSuchImage(
            "there is no such platform",
            detail=f"Talos has no platform {name!r}",
            remedy=did_you_mean(name, PLATFORMS),
        )
    return row
