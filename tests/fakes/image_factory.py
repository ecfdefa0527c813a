"""An Image Factory as its documentation describes it, for releases and extensions that are told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field
from fakes.file_server import FileServer, file_server

from provisioner.model.topology import STOCK_SCHEMATIC
from provisioner.talos.images.canonical import canonical

VERSIONS = ("v1.11.6", "v1.12.11", "v1.13.9", "v1.14.1")
EXTENSIONS = ("siderolabs/gvisor", "siderolabs/iscsi-tools", "siderolabs/qemu-guest-agent")


@define
class ImageFactory:
    """Answers like the factory; `schematics` has what it knows, canonical texts by id."""

    server: FileServer
    schematics: dict[str, str] = field(factory=lambda: {STOCK_SCHEMATIC: "customization: {}\n"})

    @property
    def url(self) -> str:
        return self.server.url

    def asked(self, method: str) -> list[str]:
        """The paths that were asked for in this way."""
        return [path for how, path, _ in self.server.requests if how == method]

    def learn(self, body: bytes) -> tuple[int, str, bytes]:
        """`POST /schematics`."""
        try:
            tree = json.loads(body)
        except ValueError as err:
            return 400, "text/plain", f"yaml: {err}\n".encode()
        unknown = tree.keys() - {"overlay", "customization", "owner"}
        if unknown:
            return 400, "text/plain", f"yaml: field {min(unknown)} not found in type schematic.Schematic\n".encode()
        text = canonical(tree)
        schematic_id = hashlib.sha256(text.encode()).hexdigest()
        self.know(schematic_id, text)
        return 201, "application/json", json.dumps({"id": schematic_id, "schematic": text}).encode()

    def know(self, schematic_id: str, text: str) -> None:
        self.schematics[schematic_id] = text
        self.server.answers["GET", f"/schematics/{schematic_id}"] = lambda body: (
            200,
            "application/yaml",
            text.encode(),
        )

    def answer(self, path: str, value: Any) -> None:
        """Answers a GET with JSON from now on."""
        self.server.answers["GET", path] = lambda body: (200, "application/json", json.dumps(value).encode())


@contextmanager
def image_factory() -> Iterator[ImageFactory]:
    """A factory on a free port of this machine."""
    with file_server() as server:
        factory = ImageFactory(server)
        server.answers["POST", "/schematics"] = factory.learn
        factory.know(STOCK_SCHEMATIC, "customization: {}\n")
        factory.answer("/versions", list(VERSIONS))
        for version in VERSIONS:
            factory.answer(f"/version/{version}/extensions/official", [_extension(name) for name in EXTENSIONS])
            factory.answer(f"/version/{version}/overlays/official", [_overlay("rpi_generic")])
        yield factory


def _extension(name: str) -> Mapping[str, str]:
    return {
        "name": name,
        "ref": f"ghcr.io/{name}:1.0",
        "digest": "sha256:" + "0" * 64,
        "author": "Sidero Labs",
        "description": f"What {name} does.",
    }


def _overlay(name: str) -> Mapping[str, str]:
    return {
        "name": name,
        "image": "siderolabs/sbc-raspberrypi",
        "ref": "ghcr.io/siderolabs/sbc-raspberrypi:v0.2.0",
        "digest": "sha256:" + "0" * 64,
    }
