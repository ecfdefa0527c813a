"""The `VolumeConfig` document of the volume EPHEMERAL: nothing on it runs as a program or a device."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "VolumeConfig"


def document(subject: Subject) -> Document:
    """Mounted with `nosuid` and `nodev`."""
    return typed(KIND, name="EPHEMERAL", mount={"secure": True})
