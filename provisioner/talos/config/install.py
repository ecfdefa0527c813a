"""The install section of the root document: onto which disk Talos goes, from which image.

Source: siderolabs/talos v1.13, `generate.Input`.
"""

from __future__ import annotations

from provisioner.sdk import Value
from provisioner.talos.config.subject import Subject
from provisioner.talos.images.installer import installer_image


def install(subject: Subject) -> dict[str, Value]:
    """`machine.install` for a subject with a disk, such as `/dev/sda`."""
    section: dict[str, Value] = {
        "disk": subject.install_disk,
        "image": installer_image(subject.topology.talos, subject.platform),
        "wipe": False,
    }
    if subject.contract.boots_with_command_line_of_image:
        section["grubUseUKICmdline"] = True
    return section
