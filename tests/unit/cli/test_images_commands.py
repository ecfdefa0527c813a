"""`prov images`, before an Image Factory on this machine."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, evolve
from fakes.file_server import Status
from fakes.image_factory import ImageFactory, image_factory

from provisioner.cli.main import main
from provisioner.model.topology import STOCK_SCHEMATIC, TalosWish
from provisioner.sdk import Retry
from provisioner.talos.images.artifacts import Artifact
from provisioner.talos.images.schematic import Schematic
from provisioner.workflow.images import made

WISH = Schematic(extensions=("siderolabs/gvisor",))
IMAGE = b"an image" * 1000
FILE = """\
version: 1
name: demo
talos: {version: v1.13.9, factory: "%s"%s}
providers: {sim: {}}
pools: {control: {role: controlplane, provider: sim, count: 1}}
"""


@define
class Desk:
    """The command in this process, in a folder with a cluster file, a cache, and a factory to ask."""

    folder: Path
    factory: ImageFactory
    streams: pytest.CaptureFixture[str]
    said: str = ""

    def write(self, more: str = "", factory: str = "") -> None:
        (self.folder / "cluster.yaml").write_text(FILE % (factory or self.factory.url, more))

    def prov(self, *args: str, code: int = 0) -> str:
        """Runs `prov images …`, which must end with `code`, and returns what it prints."""
        self.streams.readouterr()
        with pytest.MonkeyPatch.context() as world:
            world.setenv("PROV_CACHE", str(self.folder / "cache"))
            world.chdir(self.folder)
            world.setattr(sys, "argv", ["prov", "images", *args])
            with pytest.raises(SystemExit) as ended:
                main()
        said = self.streams.readouterr()
        assert (ended.value.code or 0) == code, said.err
        self.said = said.err
        return said.out

    def offer(self, name: str, content: bytes, schematic: str = WISH.id) -> None:
        """The factory has an image."""
        self.factory.server.files[f"/image/{schematic}/v1.13.9/{name}"] = content


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with image_factory() as factory:
        made = Desk(tmp_path, factory, capsys)
        made.write(", extensions: [siderolabs/gvisor]")
        yield made


def test_show_tells_id_text_and_installer(desk: Desk) -> None:
    host = desk.factory.url.removeprefix("http://")
    expected = f"""\
release    v1.13.9
schematic  {WISH.id}
factory    {desk.factory.url}
installer  {host}/metal-installer/{WISH.id}:v1.13.9

customization:
    systemExtensions:
        officialExtensions:
            - siderolabs/gvisor
"""
    assert expected == desk.prov("show")
    assert desk.factory.server.requests == []

    shown = json.loads(desk.prov("show", "--json"))
    assert (WISH.id, False) == (shown["schematic"], shown["stock"])


def test_register_prints_the_id_the_factory_has(desk: Desk) -> None:
    """Also for what has no id here."""
    assert f"{WISH.id}\n" == desk.prov("register")
    assert WISH.id in desk.factory.schematics


def test_register_works_where_nothing_else_does(desk: Desk) -> None:
    """A schematic without an id here can be told the factory, so that the file can be completed."""
    desk.write(", schematic: {extra_kernel_args: ['off']}")
    desk.prov("show", code=1)
    assert "prov images register" in desk.said
    desk.factory.server.answers["POST", "/schematics"] = lambda body: (201, "application/json", b'{"id": "told"}')

    assert desk.prov("register") == "told\n"


def test_check_says_what_the_factory_lacks(desk: Desk) -> None:
    desk.prov("check")
    assert "has all" in desk.said
    desk.write(", extensions: [siderolabs/gvisr]")
    desk.prov("check", code=1)
    assert "did you mean 'siderolabs/gvisor'?" in desk.said


def test_check_has_images_made(desk: Desk) -> None:
    """Without fetching them."""
    desk.offer("metal-amd64.iso", b"x" * 2**21)
    desk.prov("check", "metal-amd64.iso")
    assert "metal-amd64.iso has 2.0 MiB" in desk.said
    assert WISH.id in desk.factory.schematics
    assert desk.factory.asked("HEAD") == [f"/image/{WISH.id}/v1.13.9/metal-amd64.iso"]


def test_a_factory_at_work_is_asked_again(desk: Desk) -> None:
    """A proxy before it may give up earlier than the factory does."""
    talos = evolve(TalosWish("v1.13.9", "1.13", "v1.36.3"), factory=desk.factory.url)
    desk.offer("metal-amd64.iso", b"x" * 100, STOCK_SCHEMATIC)
    desk.factory.server.faults.extend([Status(504), Status(503), Status(500)])
    pauses: list[float] = []
    assert made(talos, Artifact("metal", "amd64", "iso"), pauses.append) == 100
    assert pauses == [30.0, 30.0, 30.0]

    desk.factory.server.faults.extend([Status(504)] * 20)
    with pytest.raises(Retry, match="busy"):
        made(talos, Artifact("metal", "amd64", "iso"), pauses.append)


def test_url_is_where_the_image_is(desk: Desk) -> None:
    base = f"{desk.factory.url}/image/{WISH.id}/v1.13.9"
    assert f"{base}/metal-amd64.iso\n{base}/aws-arm64.raw.xz\n" == desk.prov("url", "metal-amd64.iso", "aws-arm64")


@pytest.mark.parametrize("name", ["metal", "metal-amd64.isso", "metl-amd64", "-amd64"])
def test_what_is_no_image_is_refused(desk: Desk, name: str) -> None:
    desk.prov("url", "--", name, code=1)
    assert "hint:" in desk.said


def test_fetch_registers_downloads_and_prints_the_place(desk: Desk) -> None:
    desk.offer("nocloud-amd64.raw.xz", lzma.compress(IMAGE))

    place = Path(desk.prov("fetch", "nocloud-amd64").strip())
    plain = Path(desk.prov("fetch", "--unpack", "nocloud-amd64").strip())

    assert WISH.id in desk.factory.schematics
    assert lzma.compress(IMAGE) == place.read_bytes()
    assert (plain.read_bytes(), plain.name) == (IMAGE, "nocloud-amd64.raw")
    assert len(desk.factory.asked("GET")) == 3  # whether the schematic is known, twice, and the image, once


def test_the_stock_image_needs_no_registration(desk: Desk) -> None:
    desk.write()
    desk.offer("metal-amd64.iso", IMAGE, STOCK_SCHEMATIC)
    desk.prov("fetch", "metal-amd64.iso")
    assert [path for _, path, _ in desk.factory.server.requests] == [
        f"/image/{STOCK_SCHEMATIC}/v1.13.9/metal-amd64.iso"
    ]


def test_list_and_prune(desk: Desk) -> None:
    """What was used lately stays; the rest goes, with its checksum only if asked."""
    desk.prov("list")
    assert "nothing is in" in desk.said
    for name in ("metal-amd64.iso", "aws-amd64.raw.xz"):
        desk.offer(name, IMAGE)
        place = Path(desk.prov("fetch", name.removesuffix(".raw.xz")).strip())
    os.utime(place, (0, 0))

    listed = json.loads(desk.prov("list", "--json"))
    assert [Path(item["path"]).name for item in listed] == ["aws-amd64.raw.xz", "metal-amd64.iso"]
    assert {hashlib.sha256(IMAGE).hexdigest()} == {item["sha256"] for item in listed}
    assert "1970-01-01" in desk.prov("list")

    desk.prov("prune", code=1)
    assert "--yes" in desk.said
    desk.prov("prune", "--yes")
    assert not place.exists()
    pins = (desk.folder / "cache/checksums.sha256").read_text()
    assert len(pins.splitlines()) == 2
    desk.prov("prune", "--yes")
    assert "nothing is to be removed" in desk.said

    desk.prov("prune", "--days", "0", "--forget", "--yes")
    assert json.loads(desk.prov("list", "--json")) == []
    assert len((desk.folder / "cache/checksums.sha256").read_text().splitlines()) == 1


def test_a_mirror_stands_in_for_the_factory(desk: Desk) -> None:
    """A folder filled once serves as the file's factory, and an image comes from it with its checksum."""
    desk.offer("nocloud-amd64.raw.xz", lzma.compress(IMAGE))
    desk.prov("mirror", "a mirror", "nocloud-amd64")
    folder = desk.folder / "a mirror"
    assert folder.as_uri() in desk.said
    asked = len(desk.factory.server.requests)

    desk.write(", extensions: [siderolabs/gvisor]", folder.as_uri())
    desk.prov("check")
    place = Path(desk.prov("fetch", "--unpack", "nocloud-amd64").strip())

    assert place.read_bytes() == IMAGE
    assert asked == len(desk.factory.server.requests)
    digest = hashlib.sha256(lzma.compress(IMAGE)).hexdigest()
    name = f"image/{WISH.id}/v1.13.9/nocloud-amd64.raw.xz"
    assert f"{digest}  {name}\n" == (folder / "checksums.sha256").read_text()
    # installers are no files: they keep coming from the public factory's registry, or what stands in for it
    assert f"factory.talos.dev/metal-installer/{WISH.id}:v1.13.9" in desk.prov("show")


def test_a_mirror_is_held_to_the_checksums_it_was_filled_with(desk: Desk) -> None:
    """Whatever happens to it on the way."""
    desk.offer("metal-amd64.iso", IMAGE)
    desk.prov("mirror", "a mirror", "metal-amd64.iso")
    folder = desk.folder / "a mirror"
    (folder / f"image/{WISH.id}/v1.13.9/metal-amd64.iso").write_bytes(b"exchanged")

    desk.write(", extensions: [siderolabs/gvisor]", folder.as_uri())
    desk.prov("fetch", "metal-amd64.iso", code=1)

    assert f"it should have {hashlib.sha256(IMAGE).hexdigest()}" in desk.said


def test_a_mirror_keeps_what_it_has(desk: Desk) -> None:
    for name in ("metal-amd64.iso", "aws-amd64.raw.xz"):
        desk.offer(name, IMAGE)
    desk.prov("mirror", "m", "metal-amd64.iso")
    (desk.folder / "m/versions").write_text('["v1.12.11"]')
    desk.prov("mirror", "m", "aws-amd64")
    assert json.loads((desk.folder / "m/versions").read_text()) == ["v1.12.11", "v1.13.9"]
    assert len((desk.folder / "m/checksums.sha256").read_text().splitlines()) == 2


def test_a_mirror_lacks_what_was_not_put_there(desk: Desk) -> None:
    desk.offer("metal-amd64.iso", IMAGE)
    desk.prov("mirror", "m", "metal-amd64.iso")
    desk.write(", extensions: [siderolabs/gvisor, siderolabs/iscsi-tools]", (desk.folder / "m").as_uri())
    desk.prov("fetch", "metal-amd64.iso", code=1)
    assert "prov images mirror" in desk.said


PUBLISHED = [
    {
        "cloud": "gcp",
        "tag": "v1",
        "version": "v1.13.9",
        "region": "us",
        "arch": "arm64",
        "type": "compute#image",
        "id": "x",
    },
    {"cloud": "aws", "version": "v1.13.9", "region": "eu-west-1", "arch": "amd64", "type": "hvm", "id": "ami-2"},
    {"cloud": "aws", "version": "v1.13.9", "region": "eu-central-1", "arch": "amd64", "type": "hvm", "id": "ami-1"},
    {"cloud": "aws"},
    "nonsense",
]


def test_published_lists_cloud_images(desk: Desk) -> None:
    """From the release's own list, which is fetched once."""
    desk.factory.server.files["/dl/v1.13.9/cloud-images.json"] = json.dumps(PUBLISHED).encode()
    where = ("--releases", f"{desk.factory.url}/dl/")

    assert (
        desk.prov("published", *where)
        == """\
CLOUD  REGION        ARCH   ID
aws    eu-central-1  amd64  ami-1
aws    eu-west-1     amd64  ami-2
gcp    us            arm64  x
"""
    )
    assert [each["id"] for each in json.loads(desk.prov("published", *where, "--region", "us", "--json"))] == ["x"]
    desk.prov("published", *where, "--cloud", "azure")
    assert "none is published" in desk.said
    assert len(desk.factory.server.requests) == 1


def test_a_list_of_published_images_that_is_none(desk: Desk) -> None:
    desk.factory.server.files["/dl/v1.13.9/cloud-images.json"] = b"<html>"
    desk.prov("published", "--releases", f"{desk.factory.url}/dl", code=1)
    assert "cannot be understood" in desk.said
