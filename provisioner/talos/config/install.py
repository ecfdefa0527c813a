"""The install section: onto which disk Talos goes, from which image.

Source: siderolabs/talos v1.13, `generate.Input`.
"""

from __future__ import annotations

from provisioner.sdk import TalosWish, Value
from provisioner.talos.images.installer import installer_image


def install(disk: str, talos: TalosWish, platform: str) -> dict[str, Value]:
    """`machine.install` for a disk such as `/dev/sda`; `platform` is Talos's name of the place."""
    return {
        "disk": disk,
        "image": installer_image(talos, platform),
        "wipe": False,
        "grubUseUKICmdline": True,
    }
