"""Boot images as small as they can be, and what a machine finds on the disc that its BMC holds."""

from __future__ import annotations

import io
from pathlib import Path

import pycdlib
from pycdlib.pycdlibexception import PyCdlibException

LABEL = "metal-iso"
"""Talos looks for its configuration on the filesystem of this name (platform/metal/metal.go)."""


def write_image(file: Path) -> Path:
    """An ISO with a boot record and nothing to boot."""
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3, rock_ridge="1.09", vol_ident="TALOS")
    boot = b"boot"
    disc.add_fp(io.BytesIO(boot), len(boot), "/BOOT.;1", rr_name="boot")
    disc.add_eltorito("/BOOT.;1", platform_id=0xEF)
    disc.write(str(file))
    disc.close()
    return file


def boots(data: bytes) -> bool:
    """Whether it is an ISO with a boot record."""
    try:
        disc = _opened(data)
    except PyCdlibException:
        return False
    try:
        return disc.eltorito_boot_catalog is not None
    finally:
        disc.close()


def config_on(data: bytes) -> bytes | None:
    """The configuration on a disc of the right name; None where there is none."""
    disc = _opened(data)
    try:
        if disc.pvd.volume_identifier.decode().strip() != LABEL:
            return None
        found = io.BytesIO()
        disc.get_file_from_iso_fp(found, rr_path="/config.yaml")
        return found.getvalue()
    except PyCdlibException:
        return None
    finally:
        disc.close()


def _opened(data: bytes) -> pycdlib.PyCdlib:
    disc = pycdlib.PyCdlib()
    disc.open_fp(io.BytesIO(data))
    return disc
