"""The `RawVolumeConfig` document: a partition without a filesystem.

Source: siderolabs/talos v1.14, `types/block/raw_volume_config.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.config.documents.encryption import ENCRYPTION, encryption
from provisioner.talos.config.documents.provisioning import PROVISIONING, provisioning
from provisioner.talos.settings.forms import VOLUME_NAME
from provisioner.talos.settings.section import Document, Settings, document
from provisioner.talos.settings.shape import Key, Named, Table

RAW = Key(Named(VOLUME_NAME, Table({**PROVISIONING, "encryption": ENCRYPTION})), "partitions without a filesystem")


def raw_volume(name: str, settings: Settings) -> Iterator[Document]:
    """The document of one volume."""
    yield document("RawVolumeConfig", name, provisioning=provisioning(settings), encryption=encryption(settings))
