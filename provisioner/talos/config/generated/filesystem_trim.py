"""The `FilesystemTrimConfig` document: how often disks are told which blocks are free."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "FilesystemTrimConfig"


def document(subject: Subject) -> Document:
    """Once a week."""
    return typed(KIND, interval="168h0m0s")
