"""A host's disc is the boot image with the configuration on it."""

from __future__ import annotations

import io
from pathlib import Path

import pycdlib
import pytest
from prov_metal.media import with_config

from provisioner.sdk import OperatorNeeded

CONFIG = "machine: {type: worker}\n"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A small ISO with a boot record and Rock Ridge names."""
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3, rock_ridge="1.09", vol_ident="TALOS")
    boot = b"boot"
    disc.add_fp(io.BytesIO(boot), len(boot), "/BOOT.;1", rr_name="boot")
    disc.add_eltorito("/BOOT.;1", platform_id=0xEF)
    file = tmp_path / "metal-amd64.iso"
    disc.write(str(file))
    disc.close()
    return file


def test_the_disc_has_the_configuration_and_still_boots(image: Path) -> None:
    """It is called metal-iso, has config.yaml, and has kept its boot record."""
    disc = pycdlib.PyCdlib()
    disc.open_fp(with_config(image, CONFIG))
    found = io.BytesIO()
    disc.get_file_from_iso_fp(found, rr_path="/config.yaml")
    assert found.getvalue().decode() == CONFIG
    assert disc.pvd.volume_identifier.decode().strip() == "metal-iso"
    assert disc.eltorito_boot_catalog is not None


def test_the_image_itself_is_left_alone(image: Path) -> None:
    """Secrets go onto the host's disc only."""
    before = image.read_bytes()
    with_config(image, CONFIG)
    assert before == image.read_bytes()
    assert list(image.parent.iterdir()) == [image]


@pytest.mark.parametrize("content", [b"", b"no disc at all" * 10_000])
def test_what_is_no_disc_is_refused(content: bytes, tmp_path: Path) -> None:
    """The error names the file, and what to do."""
    file = tmp_path / "broken.iso"
    file.write_bytes(content)
    with pytest.raises(OperatorNeeded, match="cannot boot from this image") as caught:
        with_config(file, CONFIG)
    assert caught.value.detail.startswith("broken.iso")
