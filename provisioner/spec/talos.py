"""`talos:` of the cluster file: the release, and what its images have beyond it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from provisioner.errors import Place, did_you_mean
from provisioner.model.topology import PUBLIC_FACTORY
from provisioner.spec.document import ListNode, MapNode, Node, ScalarNode
from provisioner.spec.fields import Fields
from provisioner.spec.schema import TalosSpec
from provisioner.talos.images.canonical import Tree
from provisioner.talos.images.schematic import Overlay, Schematic, is_id

_BOOTLOADERS = ("auto", "dual-boot", "grub", "sd-boot")
_ENROLMENTS = ("off", "manual", "if-safe", "force")
_KEY = re.compile(r"0x[0-9a-fA-F]{1,2}|[0-9]{1,3}")
_REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9._-]+)*")


def read_talos(table: Fields | None) -> TalosSpec:
    """The whole mapping; what is wrong is noted."""
    if table is None:
        return TalosSpec("")
    version = table.scalar("version", str, required=True) or ""
    spec = TalosSpec(
        version=version,
        extensions=tuple(text for text, _ in table.texts("extensions")),
        schematic=_schematic(table.table("schematic")),
        schematic_id=_id(table),
        secureboot=table.scalar("secureboot", bool) or False,
        factory=_factory(table),
        registry=_registry(table),
        place=_place(table, "version"),
        image_place=next((_place(table, key) for key in _IMAGE_KEYS if key in table.node.entries), table.place),
    )
    table.finish()
    return spec


_IMAGE_KEYS = ("schematic_id", "schematic", "extensions")


def _id(table: Fields) -> str:
    text = table.scalar("schematic_id", str) or ""
    if text and not is_id(text):
        _refuse(table, "schematic_id", f"{text!r} is no id of a schematic", "write 64 digits from 0-9 and a-f")
    return text


def _factory(table: Fields) -> str:
    text = (table.scalar("factory", str) or PUBLIC_FACTORY).rstrip("/")
    parts = urlsplit(text)
    plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    remote = parts.scheme in ("http", "https") and parts.hostname
    if not plain or not (remote or (parts.scheme == "file" and not parts.netloc and parts.path)):
        _refuse(
            table,
            "factory",
            "it is no URL of an Image Factory or of a folder",
            f"write one such as {PUBLIC_FACTORY}, https://factory.example.org or file:///srv/talos",
        )
    return text


def _registry(table: Fields) -> str:
    text = table.scalar("registry", str) or ""
    if text and not _REGISTRY.fullmatch(text):
        _refuse(
            table, "registry", f"{text!r} is no container registry", "write a host, as in registry.example.org:5000"
        )
    return text


def _schematic(table: Fields | None) -> Schematic:
    if table is None:
        return Schematic()
    secureboot, disk = table.table("secureboot"), table.table("disk_image")
    result = Schematic(
        kernel_args=tuple(text for text, _ in table.texts("extra_kernel_args")),
        meta=_meta(table.table("meta")),
        overlay=_overlay(table.table("overlay")),
        bootloader=_one_of(table, "bootloader", _BOOTLOADERS).replace("auto", ""),
        enroll_keys=_one_of(secureboot, "enroll_keys", _ENROLMENTS) if secureboot else "",
        known_certificates=bool(secureboot and secureboot.scalar("include_well_known_certificates", bool)),
        sector_size=_sector_size(disk) if disk else 0,
    )
    for each in (secureboot, disk, table):
        if each is not None:
            each.finish()
    return result


def _meta(table: Fields | None) -> Mapping[int, str]:
    """Texts by number; `0x0a` and `10` are the same key."""
    found: dict[int, str] = {}
    for text, _ in table or ():
        assert table is not None
        value = table.scalar(text, str)
        number = int(text, 0 if text.startswith("0x") else 10) if _KEY.fullmatch(text) else 256
        if number > 255:
            table.reader.wrong_value(
                table.key_place(text), f"{table.name(text)}: a META key is a number up to 255", "write it as in 0x0c"
            )
        elif value is not None:
            found[number] = value
    return found


def _overlay(table: Fields | None) -> Overlay | None:
    if table is None:
        return None
    name, image = (table.scalar(key, str, required=True) or "" for key in ("name", "image"))
    options = table.take("options")
    tree = None if options is None else _tree(options, table)
    table.finish()
    return Overlay(name, image, tree if isinstance(tree, Mapping) else {})


def _tree(node: Node, table: Fields) -> Tree:
    """Plain data from the file, with expressions settled."""
    match table.reader.settle(node):
        case MapNode() as found:
            return {key: _tree(item, table) for key, item in found.entries.items()}
        case ListNode() as found:
            return tuple(_tree(item, table) for item in found.items)
        case ScalarNode(value=bool() | int() | str() as value):
            return value
        case None:
            return ""
        case _:
            table.reader.wrong_value(
                node.place, f"{table.name('options')} has texts, whole numbers, true and false only", "write a text"
            )
            return ""


def _sector_size(table: Fields) -> int:
    size = table.scalar("sector_size", int)
    if size not in (None, 512, 4096):
        _refuse(table, "sector_size", f"disks have no sectors of {size} bytes", "write 512 or 4096")
    return 0 if size in (None, 512) else int(size or 0)


def _one_of(table: Fields, key: str, known: tuple[str, ...]) -> str:
    text = table.scalar(key, str) or ""
    if text and text not in known:
        _refuse(table, key, f"{text!r} is not one of {', '.join(known)}", did_you_mean(text, known))
    return text


def _refuse(table: Fields, key: str, what: str, remedy: str) -> None:
    table.reader.wrong_value(_place(table, key), f"{table.name(key)}: {what}", remedy)


def _place(table: Fields, key: str) -> Place:
    node = table.node.entries.get(key)
    return table.place if node is None else node.place
