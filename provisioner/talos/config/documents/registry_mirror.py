"""The `RegistryMirrorConfig` document: where images of a registry are taken from instead.

Source: siderolabs/talos v1.14, `types/cri/registry_mirror.go`; for the root document `RegistryMirrorConfig` of v1.11.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.settings.forms import FLAG, REGISTRY, url
from provisioner.talos.settings.section import Complaint, Document, Settings, document, plain, present, renamed, rows
from provisioner.talos.settings.shape import Key, Many, Named, Table
from provisioner.talos.versions import Contract

_ENDPOINT = Table(
    {
        "url": Key(url("https", "http"), "where it is", required=True),
        "override_path": Key(FLAG, "whether the path of the URL is all of the path, without `/v2`"),
    },
    short="url",
)
MIRRORS = Key(
    Named(
        REGISTRY,
        Table(
            {
                "endpoints": Key(Many(_ENDPOINT), "asked one after the other; a URL is short for `{url: …}`"),
                "skip_fallback": Key(FLAG, "whether the registry itself is never asked"),
            }
        ),
    ),
    "where images are taken from instead; `*` is every registry that has no entry",
)


def registry_mirror(name: str, settings: Settings) -> Document:
    """The document of one registry."""
    names = {"url": "url", "override_path": "overridePath"}
    endpoints = tuple(renamed(endpoint, names) for endpoint in rows(settings, "endpoints"))
    return document(
        "RegistryMirrorConfig", name, endpoints=endpoints or None, skipFallback=settings.get("skip_fallback")
    )


def legacy_mirror(settings: Settings) -> dict[str, Value]:
    """The same as an entry of `machine.registries.mirrors`."""
    endpoints = rows(settings, "endpoints")
    override = next((endpoint["override_path"] for endpoint in endpoints if "override_path" in endpoint), None)
    return {
        "endpoints": tuple(endpoint.get("url") for endpoint in endpoints),
        **present(overridePath=override, skipFallback=settings.get("skip_fallback")),
    }


def limit_mirror(settings: Settings, contract: Contract, *path: str) -> Iterator[Complaint]:
    """One mirror with endpoints of both sorts."""
    sorts = {plain(endpoint, "override_path") is True for endpoint in rows(settings, "endpoints")}
    if len(sorts) == 2:
        detail = f"for Talos {contract} all endpoints of a mirror override the path, or none does"
        yield Complaint((*path, "endpoints"), detail, "give all of them `override_path: true`, or none")
