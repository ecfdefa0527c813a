"""A host's disc is the boot image with the configuration on it, and is served to whoever knows its place."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pycdlib
import pytest
from prov_metal.media import with_config
from prov_metal.serve import MediaServer, token

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


@pytest.fixture
def server() -> Iterator[MediaServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = MediaServer(f"127.0.0.1:{port}")
    yield made
    made.close()


def _asked(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes, str]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = HTTPConnection(parts.hostname, parts.port, timeout=5)
    connection.request(method, parts.path, headers=headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, body, reply.getheader("Content-Range", "")


def _disc(tmp_path: Path) -> IO[bytes]:
    file = tmp_path / "disc"
    file.write_bytes(bytes(range(200)))
    return file.open("rb")


def test_a_disc_is_served_whole_and_in_pieces(server: MediaServer, tmp_path: Path) -> None:
    """BMCs read as if it were a disc: here a piece, there a piece."""
    url = server.url("r1u1", token("config", "r1u1"), lambda: _disc(tmp_path))
    assert url.endswith("/r1u1.iso")
    assert _asked(url) == (200, bytes(range(200)), "")
    assert _asked(url, Range="bytes=10-19") == (206, bytes(range(10, 20)), "bytes 10-19/200")
    assert _asked(url, Range="bytes=190-") == (206, bytes(range(190, 200)), "bytes 190-199/200")
    assert _asked(url, Range="bytes=-5") == (206, bytes(range(195, 200)), "bytes 195-199/200")
    assert _asked(url, "HEAD") == (200, b"", "")


def test_the_place_is_the_same_for_the_next_run_and_a_secret(server: MediaServer, tmp_path: Path) -> None:
    """It follows from the configuration and the host; another host's or another configuration's is another one."""
    assert token("config", "r1u1") == token("config", "r1u1")
    assert len({token("config", "r1u1"), token("config", "r1u2"), token("other", "r1u1")}) == 3
    url = server.url("r1u1", token("config", "r1u1"), lambda: _disc(tmp_path))
    wrong = url.replace(token("config", "r1u1"), token("guess", "r1u1"))
    assert _asked(wrong)[0] == 404


def test_a_disc_that_is_forgotten_is_gone(server: MediaServer, tmp_path: Path) -> None:
    """Nobody reads secrets after the host has taken them."""
    url = server.url("r1u1", "t" * 32, lambda: _disc(tmp_path))
    server.forget("r1u1")
    assert _asked(url)[0] == 404


@pytest.mark.parametrize("address", ["", "0.0.0.0:8069", "10.0.0.5", "203.0.113.7:8069"])
def test_nothing_is_served_at_large(address: str, tmp_path: Path) -> None:
    """Without an address of this computer there is no server, and never one on all interfaces."""
    with pytest.raises(OperatorNeeded) as caught:
        MediaServer(address).url("r1u1", "t", lambda: _disc(tmp_path))
    assert "serve" in caught.value.remedy
