"""The Image Factory's client, before one that answers as the documentation says, and before its faults."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.file_server import Cut, Redirect, Status, file_server
from fakes.image_factory import ImageFactory, image_factory

from provisioner.model.topology import STOCK_SCHEMATIC
from provisioner.sdk import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry
from provisioner.talos.images.factory import Extension, Factory, check_available
from provisioner.talos.images.schematic import Schematic
from provisioner.talos.kinds.schematic import register

CUSTOM = Schematic(extensions=("siderolabs/gvisor",), kernel_args=("console=ttyS0",))


@pytest.fixture
def remote() -> Iterator[ImageFactory]:
    with image_factory() as made:
        yield made


@pytest.fixture
def factory(remote: ImageFactory) -> Factory:
    return Factory(remote.url)


def test_a_schematic_is_registered_under_the_id_computed_here(remote: ImageFactory, factory: Factory) -> None:
    assert CUSTOM.id == factory.register(CUSTOM.recipe)
    assert remote.schematics[CUSTOM.id] == factory.schematic(CUSTOM.id)


def test_a_schematic_that_is_known_is_not_sent_again(remote: ImageFactory, factory: Factory) -> None:
    register(factory, CUSTOM.id, CUSTOM.recipe)
    register(factory, CUSTOM.id, CUSTOM.recipe)
    register(factory, STOCK_SCHEMATIC, "")
    assert remote.asked("POST") == ["/schematics"]


def test_an_id_alone_must_be_known(factory: Factory) -> None:
    with pytest.raises(OperatorNeeded, match="does not know this schematic"):
        register(factory, CUSTOM.id, "")


def test_another_id_than_expected_is_refused(factory: Factory) -> None:
    """A factory with accounts puts the owner into the schematic, which changes its id."""
    with pytest.raises(Fatal) as caught:
        register(factory, "0" * 64, CUSTOM.recipe)
    assert f"schematic_id: {CUSTOM.id}" in caught.value.remedy


def test_a_text_with_another_hash_is_not_the_schematic(remote: ImageFactory, factory: Factory) -> None:
    """Such as the page of a portal that stands between us and the factory."""
    remote.know(CUSTOM.id, "<html>please log in</html>")
    assert factory.schematic(CUSTOM.id) is None


def test_fields_the_factory_does_not_know_are_told(factory: Factory) -> None:
    with pytest.raises(Fatal) as caught:
        factory.register('{"customisation": {}}')
    assert "400; yaml: field customisation not found" in caught.value.detail


def test_releases_and_extensions_are_listed(factory: Factory) -> None:
    assert factory.versions()[-1] == "v1.14.1"
    expected = Extension("siderolabs/gvisor", "ghcr.io/siderolabs/gvisor:1.0", "What siderolabs/gvisor does.")
    assert expected == factory.extensions("v1.13.9")[0]
    assert [each.name for each in factory.overlays("v1.13.9")] == ["rpi_generic"]


@pytest.mark.parametrize(
    ("version", "extensions", "overlay", "summary", "remedy"),
    [
        ("v1.13.8", [], "", "images of this release", "did you mean 'v1.13.9'?"),
        ("v1.13.9", ["siderolabs/gvisor", "siderolabs/iscsi-tool"], "", "extension", "'siderolabs/iscsi-tools'?"),
        ("v1.13.9", [], "rpi_generik", "overlay", "did you mean 'rpi_generic'?"),
    ],
)
def test_what_cannot_be_made_is_said_before_it_is_asked_for(
    factory: Factory, version: str, extensions: list[str], overlay: str, summary: str, remedy: str
) -> None:
    with pytest.raises(Fatal, match=summary) as caught:
        check_available(factory, version, extensions, overlay)
    assert remedy in caught.value.remedy


def test_what_can_be_made_passes(remote: ImageFactory, factory: Factory) -> None:
    """And nothing is asked that need not be."""
    check_available(factory, "v1.13.9", (), "")
    assert remote.asked("GET") == ["/versions"]
    check_available(factory, "v1.13.9", ("siderolabs/gvisor",), "rpi_generic")


def test_an_artifact_is_made_by_asking_for_its_size(remote: ImageFactory, factory: Factory) -> None:
    path = f"{STOCK_SCHEMATIC}/v1.13.9/metal-amd64.iso"
    remote.server.files[f"/image/{path}"] = b"x" * 1234
    assert factory.size(path) == 1234
    assert remote.asked("HEAD") == [f"/image/{path}"]


@pytest.mark.parametrize(
    ("status", "error", "summary"),
    [
        (400, Fatal, "refuses this"),
        (401, OperatorNeeded, "refuses to answer"),
        (402, OperatorNeeded, "sells this"),
        (403, OperatorNeeded, "refuses to answer"),
        (404, Fatal, "does not know this"),
        (429, Retry, "busy"),
        (500, Retry, "has failed"),
        (502, Retry, "busy"),
        (503, Retry, "busy"),
    ],
)
def test_an_answer_that_is_none_says_what_to_do(
    remote: ImageFactory, factory: Factory, status: int, error: type[ProviderError], summary: str
) -> None:
    remote.server.faults.append(Status(status))
    with pytest.raises(error, match=summary) as caught:
        factory.versions()
    assert f"/versions: {status}; not now" in caught.value.detail
    assert caught.value.remedy


def test_a_cut_connection_may_be_tried_again(remote: ImageFactory, factory: Factory) -> None:
    remote.server.files["/schematics/x"] = b"x" * 500_000
    remote.server.faults.append(Cut(100))
    with pytest.raises(Retry, match="cut off"):
        factory.schematic("x")


def test_redirects_are_followed(remote: ImageFactory, factory: Factory) -> None:
    remote.server.faults.append(Redirect("/versions"))
    assert "v1.13.9" in factory.versions()


def test_nobody_at_the_address() -> None:
    with file_server() as gone:
        url = gone.url
    with pytest.raises(EndpointDown) as caught:
        Factory(url).versions()
    assert "prov images mirror" in caught.value.remedy


@pytest.mark.parametrize("page", [b"<html>", b'{"a": 1}', b"[1]"])
def test_something_else_at_the_address(remote: ImageFactory, factory: Factory, page: bytes) -> None:
    remote.server.answers["GET", "/versions"] = lambda body: (200, "text/html", page)
    with pytest.raises(Fatal, match="no image factory"):
        factory.versions()


def test_a_post_that_names_no_id(remote: ImageFactory, factory: Factory) -> None:
    remote.server.answers["POST", "/schematics"] = lambda body: (200, "application/json", b"{}")
    with pytest.raises(Fatal, match="no image factory"):
        factory.register(CUSTOM.recipe)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two releases, the stock schematic and one image."""
    for path, text in (
        ("versions", '["v1.13.9", "v1.14.1"]'),
        ("version/v1.13.9/extensions/official", '[{"name": "siderolabs/gvisor"}]'),
        (f"schematics/{STOCK_SCHEMATIC}", "customization: {}\n"),
        (f"image/{STOCK_SCHEMATIC}/v1.13.9/metal-amd64.iso", "an image"),
    ):
        file = tmp_path / "a mirror" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "a mirror"


def test_a_folder_is_read_like_a_factory(folder: Path) -> None:
    factory = Factory(folder.as_uri())
    check_available(factory, "v1.13.9", ("siderolabs/gvisor",))
    register(factory, STOCK_SCHEMATIC, '{"customization": {}}')
    assert hashlib.sha256((factory.schematic(STOCK_SCHEMATIC) or "").encode()).hexdigest() == STOCK_SCHEMATIC
    assert factory.size(f"{STOCK_SCHEMATIC}/v1.13.9/metal-amd64.iso") == len("an image")


def test_a_folder_makes_nothing(folder: Path) -> None:
    factory = Factory(folder.as_uri())
    with pytest.raises(OperatorNeeded, match="takes no schematics"):
        register(factory, CUSTOM.id, CUSTOM.recipe)
    with pytest.raises(Fatal, match="lacks something"):
        factory.size(f"{CUSTOM.id}/v1.13.9/metal-amd64.iso")
