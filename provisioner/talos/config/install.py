"""The install section: onto which disk Talos goes, from which image.

Source: siderolabs/talos v1.13, `generate.Input`; Image Factory v1.5.0 for installers with extensions.
"""

from __future__ import annotations

from provisioner.sdk import TalosWish, Value
from provisioner.talos.images.schematic import schematic_id, with_extensions


def install(disk: str, talos: TalosWish) -> dict[str, Value]:
    """`machine.install` for a disk such as `/dev/sda`; raises SchematicError for an unusable extension."""
    return {
        "disk": disk,
        "image": installer_image(talos),
        "wipe": False,
        "grubUseUKICmdline": True,
    }


def installer_image(talos: TalosWish) -> str:
    """The installer that puts this release, with these extensions, on a bare machine's disk."""
    version = f"v{talos.version.removeprefix('v')}"
    if not talos.extensions:
        return f"ghcr.io/siderolabs/installer:{version}"
    schematic = schematic_id(with_extensions(talos.extensions))
    return f"factory.talos.dev/metal-installer/{schematic}:{version}"
