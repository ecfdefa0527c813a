"""Fetching a system: from the medium it was booted from, from a registry, or from a URL."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import tarfile
import urllib.request
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlsplit

from prov_standin import volumes

_TIMEOUT_S: Final = 60.0
_MEMBER: Final = "usr/install/amd64/vmlinuz.efi"
_MEDIA: Final = ("STANDIN_METAL", "STANDIN_NOCLOUD", "metal-iso")
_MANIFESTS: Final = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


class NoImage(Exception):
    """A system cannot be had; the text says why."""


def fetch(reference: str, documents: Iterable[Mapping[str, Any]]) -> bytes:
    """The system of an installer image; raises NoImage. `documents` may name mirrors for its registry.

    A reference is HOST[:PORT]/REPOSITORY:TAG, or the URL of a system by itself.
    """
    if "://" in reference:
        return _get(reference)
    host, _, rest = reference.partition("/")
    repository, _, tag = rest.rpartition("@") if "@" in rest else rest.rpartition(":")
    if not repository or not tag:
        raise NoImage(f"{reference} is no image reference")
    problems = []
    for base in _registries(host, documents):
        try:
            return _from_registry(f"{base}/v2/{repository}", tag)
        except NoImage as err:
            problems.append(str(err))
    raise NoImage(
        "; ".join(problems) or f"no registry for {host}: the stand-in fetches by http only, through a mirror"
    )


def has_boot_medium() -> bool:
    """Whether there is a CD with a system to install."""
    return any(_system_on(label) is not None for label in _MEDIA)


def boot_medium() -> bytes:
    """The system on the CD the machine was booted from; raises NoImage."""
    for label in _MEDIA:
        place = _system_on(label)
        found = volumes.labelled(label)
        if place is None or found is None:
            continue
        try:
            with volumes.mounted(*found) as folder, (folder / "efi.img").open("rb") as handle:
                handle.seek(place["offset"])
                return _checked(handle.read(place["length"]), str(place["digest"]))
        except OSError as err:
            raise NoImage(f"the boot medium cannot be read: {err.strerror}") from None
    raise NoImage("there is no boot medium")


def _system_on(label: str) -> dict[str, Any] | None:
    """Where on a volume the system is; None where the volume is none of ours."""
    found = volumes.labelled(label)
    if found is None:
        return None
    try:
        with volumes.mounted(*found) as folder:
            place: dict[str, Any] = json.loads((folder / "system.json").read_text())
            return place
    except OSError:
        return None


def is_same(reference: str, version: str, schematic: str) -> bool:
    """Whether a reference means the system with this version and schematic."""
    repository, _, tag = reference.rpartition(":")
    last = repository.rpartition("/")[2]
    return tag == version and last in (schematic, "installer")


def _registries(host: str, documents: Iterable[Mapping[str, Any]]) -> list[str]:
    found: list[str] = []
    for document in documents:
        mirrors = ((document.get("machine") or {}).get("registries") or {}).get("mirrors") or {}
        for name in (host, "*"):
            found += [str(item) for item in (mirrors.get(name) or {}).get("endpoints") or ()]
        if document.get("kind") == "RegistryMirrorConfig" and document.get("name") in (host, "*"):
            found += [str(item.get("url")) for item in document.get("endpoints") or ()]
    if ":" in host or _is_address(host):
        found.append(f"http://{host}")
    return [base.rstrip("/").removesuffix("/v2") for base in found]


def _from_registry(base: str, tag: str) -> bytes:
    manifest = json.loads(_get(f"{base}/manifests/{tag}", _MANIFESTS))
    for layer in manifest.get("layers") or ():
        data = _checked(_get(f"{base}/blobs/{layer['digest']}"), str(layer["digest"]))
        system = _member(data)
        if system is not None:
            return system
    raise NoImage(f"{base} holds no {_MEMBER}")


def _member(layer: bytes) -> bytes | None:
    try:
        with tarfile.open(fileobj=BytesIO(layer)) as archive:
            handle = archive.extractfile(_MEMBER)
            return handle.read() if handle is not None else None
    except KeyError:
        return None
    except tarfile.TarError as err:
        raise NoImage(f"a layer cannot be read: {err}") from None


def _get(url: str, accept: str = "*/*") -> bytes:
    if urlsplit(url).scheme != "http":
        raise NoImage(f"{url}: the stand-in fetches by http only")
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310  (checked above)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            data: bytes = answer.read()
            return data
    except OSError as err:
        raise NoImage(f"{url}: {getattr(err, 'reason', err)}") from None


def _checked(data: bytes, digest: str) -> bytes:
    if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
        raise NoImage("the image is damaged: its checksum is another")
    return data


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
