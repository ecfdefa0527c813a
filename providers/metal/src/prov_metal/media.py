"""One ISO per host: the boot image with the host's configuration on it.

Talos looks for a filesystem called `metal-iso` with a `config.yaml` when its command line has
`talos.config=metal-iso`. A single disc that is both, bootable and so called, needs one slot only, which is all that
many BMCs have. The disc has secrets on it, so it is a file without a name: it is gone with the process.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import IO, Any

from provisioner.sdk import OperatorNeeded

LABEL = "metal-iso"
CONFIG = "config.yaml"


def with_config(image: Path, config: str) -> IO[bytes]:
    """A nameless file with the disc. Raises OperatorNeeded for an image that is no ISO with a boot record."""
    # Loaded here because it is needed only when a host is about to be booted.
    import pycdlib
    from pycdlib.pycdlibexception import PyCdlibException

    disc = pycdlib.PyCdlib()
    try:
        disc.open(str(image))
    except (OSError, PyCdlibException) as err:
        raise _unusable(image, str(err)) from None
    try:
        if disc.eltorito_boot_catalog is None:
            raise _unusable(image, "it has no boot record")
        data = config.encode()
        disc.add_fp(io.BytesIO(data), len(data), **_names(disc))
        _rename(disc)
        made = tempfile.TemporaryFile()  # noqa: SIM115  (it outlives this call, and nothing else)
        disc.write_fp(made)
    except PyCdlibException as err:
        raise _unusable(image, str(err)) from None
    finally:
        disc.close()
    return made


def _names(disc: Any) -> dict[str, Any]:
    """The name of the file in every directory tree that the disc has."""
    names = {"iso_path": "/CONFIG.YAML;1" if disc.interchange_level > 1 else "/CONFIG.YML;1"}
    if disc.has_rock_ridge():
        names["rr_name"] = CONFIG
    if disc.has_joliet():
        names["joliet_path"] = f"/{CONFIG}"
    return names


def _rename(disc: Any) -> None:
    disc.pvd.volume_identifier = LABEL.encode().ljust(32)
    if disc.joliet_vd is not None:
        disc.joliet_vd.volume_identifier = LABEL.encode("utf-16_be").ljust(32, b"\0 ")[:32]


def _unusable(image: Path, detail: str) -> OperatorNeeded:
    return OperatorNeeded(
        "hosts cannot boot from this image",
        detail=f"{image.name}: {detail}",
        remedy="give the provider an ISO as `image`, such as metal-amd64.iso of the Image Factory",
    )
