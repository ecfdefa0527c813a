"""The `ExistingVolumeConfig` document: a filesystem that is there already, mounted at `/var/mnt/NAME`.

Source: siderolabs/talos v1.14, `types/block/existing_volume_config.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.config.documents.provisioning import ACCESS_TIME, SECURE, UPKEEP, mount, upkeep
from provisioner.talos.settings.expression import expression
from provisioner.talos.settings.forms import FLAG, VOLUME_NAME
from provisioner.talos.settings.section import Document, Settings, document
from provisioner.talos.settings.shape import Key, Named, Table

EXISTING = Key(
    Named(
        VOLUME_NAME,
        Table(
            {
                "match": Key(expression("volume", "disk"), "over `volume` and `disk`", required=True),
                "read_only": Key(FLAG, "whether nothing can be written"),
                "secure": SECURE,
                "disable_access_time": ACCESS_TIME,
                **UPKEEP,
            }
        ),
    ),
    "filesystems that are there already, mounted at `/var/mnt/NAME`",
)


def existing_volume(name: str, settings: Settings) -> Iterator[Document]:
    """The document of one volume."""
    discovery = {"volumeSelector": {"match": settings.get("match")}}
    yield document("ExistingVolumeConfig", name, discovery=discovery, mount=mount(settings), **upkeep(settings))
