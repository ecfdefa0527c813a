"""Images on this machine."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from fakes.file_server import file_server

from provisioner.model.topology import STOCK_SCHEMATIC, TalosWish
from provisioner.sdk import Downloads
from provisioner.workflow.images import fetch


def test_an_image_comes_from_the_wish_s_factory(tmp_path: Path) -> None:
    """And is kept below the factory's host."""
    with file_server() as factory:
        factory.files[f"/image/{STOCK_SCHEMATIC}/v1.13.9/nocloud-amd64.raw.xz"] = b"an image"
        wish = evolve(TalosWish("v1.13.9", "1.13", "v1.36.3"), factory=factory.url)
        fetched = fetch(Downloads(tmp_path), wish, "nocloud", "amd64", "", lambda done, total: None)

    assert fetched.path.read_bytes() == b"an image"
    assert fetched.path.relative_to(tmp_path).parts[1:] == (
        "image",
        STOCK_SCHEMATIC,
        "v1.13.9",
        "nocloud-amd64.raw.xz",
    )
