"""The `RegistryAuthConfig` document: the credentials for a registry.

Source: siderolabs/talos v1.14, `types/cri/registry_auth.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.settings.forms import REGISTRY, TEXT
from provisioner.talos.settings.section import Complaint, Document, Settings, document, renamed
from provisioner.talos.settings.shape import Key, Named, Table

AUTH = Key(
    Named(
        REGISTRY,
        Table(
            {
                "username": Key(TEXT, "together with `password`"),
                "password": Key(TEXT, "take it from `${env.NAME}`"),
                "auth": Key(TEXT, "both in base64, as Docker keeps them"),
                "identity_token": Key(TEXT, "a token instead"),
            },
            whole=True,
        ),
    ),
    "credentials; one of three ways",
)
_NAMES = {"username": "username", "password": "password", "auth": "auth", "identity_token": "identityToken"}


def registry_auth(name: str, settings: Settings) -> Document:
    """The document of one registry."""
    return document("RegistryAuthConfig", name, **legacy_auth(settings))


def legacy_auth(settings: Settings) -> dict[str, Value]:
    """The `auth` of an entry of `machine.registries.config`."""
    return renamed(settings, _NAMES)


def judge_auth(settings: Settings, *path: str) -> Iterator[Complaint]:
    """Ways that exclude each other, and half a way."""
    given = [way for way in ("username", "auth", "identity_token") if way in settings]
    if len(given) != 1:
        said = f"it has {' and '.join(given)}" if given else "it has none"
        yield Complaint(path, f"credentials are given in one way, and {said}", "keep one of them")
    elif ("username" in settings) != ("password" in settings):
        yield Complaint(path, "user name and password go together", "give both")
