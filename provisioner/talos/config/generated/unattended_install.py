"""The `UnattendedInstallConfig` document: onto which disk Talos goes by itself, from which image."""

from __future__ import annotations

import json

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject
from provisioner.talos.images.installer import installer_image

KIND = "UnattendedInstallConfig"


def document(subject: Subject) -> Document:
    """For a subject with a disk, such as `/dev/sda` or `/dev/disk/by-id/…`."""
    assert subject.install_disk is not None
    return typed(
        KIND,
        installer={"image": installer_image(subject.topology.talos, subject.platform)},
        provisioning={"diskSelector": {"match": selector(subject.install_disk)}, "wipe": False},
    )


def selector(disk: str) -> str:
    """The CEL expression that only this disk fulfils; a name below `/dev/disk` is a link to one."""
    quoted = json.dumps(disk)
    return f"{quoted} in disk.symlinks" if disk.startswith("/dev/disk/") else f"disk.dev_path == {quoted}"
