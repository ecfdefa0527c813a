"""What an image has beyond the plain release, as the Image Factory calls it: a schematic.

The factory names a schematic by the SHA-256 of its canonical YAML, so its id is known before anybody is asked.
The factory has to be told the schematic all the same before it makes images of it, for an id tells it nothing.

Source: siderolabs/image-factory v1.5.0, `pkg/schematic` and its test vectors.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from attrs import field, frozen

from provisioner.sdk import ProvError
from provisioner.talos.images.canonical import NotPlain, Tree, canonical

_ID = re.compile(r"[0-9a-f]{64}")
_LETTERS = re.compile(r"[A-Za-z]+")


class SchematicError(ProvError):
    """A schematic whose id cannot be computed here."""

    code = "schematic"


@frozen
class Overlay:
    """What a single-board computer needs beside Talos. `options` are the overlay's own."""

    name: str
    image: str
    options: Mapping[str, Tree] = field(factory=dict)


@frozen
class Schematic:
    """A customised image.

    extensions    such as `siderolabs/iscsi-tools`; their order means nothing
    kernel_args   added to the kernel's command line; one that begins with `-` is taken out of it instead
    meta          what the META partition holds at first, by key
    bootloader    `dual-boot`, `grub` or `sd-boot`; empty for what suits the machine
    enroll_keys   when keys for SecureBoot are enrolled: `off`, `manual`, `if-safe`, `force`; empty for `if-safe`
    known_certificates  whether well-known certificates for SecureBoot are enrolled as well
    sector_size   of disk images, in bytes; 0 for 512
    """

    extensions: tuple[str, ...] = ()
    kernel_args: tuple[str, ...] = ()
    meta: Mapping[int, str] = field(factory=dict)
    overlay: Overlay | None = None
    bootloader: str = ""
    enroll_keys: str = ""
    known_certificates: bool = False
    sector_size: int = 0

    @property
    def tree(self) -> Mapping[str, Tree]:
        """The schematic with the factory's keys in the factory's order; what is empty is left out."""
        overlay = self.overlay
        customization: dict[str, Tree] = {
            "extraKernelArgs": self.kernel_args,
            "meta": tuple({"key": key, "value": self.meta[key]} for key in sorted(self.meta)),
            "systemExtensions": _filled({"officialExtensions": tuple(sorted(set(self.extensions)))}),
            "bootloader": self.bootloader,
            "secureboot": _filled(
                {"enrollKeys": self.enroll_keys, "includeWellKnownCertificates": self.known_certificates}
            ),
            "diskImage": _filled({"sectorSize": self.sector_size}),
        }
        above: dict[str, Tree] = {}
        if overlay is not None:
            options = _sorted(overlay.options)
            above["overlay"] = {
                "image": overlay.image,
                "name": overlay.name,
                **_filled({"options": options}),
            }
        return {**above, "customization": _filled(customization)}

    @property
    def recipe(self) -> str:
        """The schematic as the factory takes it: JSON, which is YAML as well."""
        return json.dumps(self.tree)

    @property
    def id(self) -> str:
        """The id, 64 hexadecimal digits. Raises SchematicError where the factory alone can tell it."""
        try:
            return hashlib.sha256(canonical(self.tree).encode()).hexdigest()
        except NotPlain as err:
            raise SchematicError(
                "the id of this image schematic cannot be computed offline",
                detail=f"{err.args[0]!r} has to be quoted in YAML, and releases of the factory quote differently",
                remedy="ask the factory with `prov images register`, and put the id under talos.schematic_id",
            ) from None


def is_id(text: str) -> bool:
    """Whether a text has the form of a schematic's id."""
    return _ID.fullmatch(text) is not None


def _filled(mapping: Mapping[str, Tree]) -> dict[str, Tree]:
    """The entries that say something."""
    return {key: value for key, value in mapping.items() if value}


def _sorted(value: Tree) -> Tree:
    """Mappings with their keys in the factory's order, which for other keys than letters is a science of its own."""
    match value:
        case Mapping():
            for key in value:
                if not _LETTERS.fullmatch(key):
                    raise NotPlain(key)
            return {key: _sorted(value[key]) for key in sorted(value)}
        case list() | tuple():
            return tuple(_sorted(item) for item in value)
        case _:
            return value
