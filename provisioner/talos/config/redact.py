"""Which leaves of a configuration are secret.

A configuration read from a node is plain text; here its secrets get their mark, before anything can print
them. Two rules: leaves with a telling name are secret wherever they stand, and a table adds the places whose
names do not tell. Marking too much only hides a value from people, so the names are broad.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioner.sdk import Path, Secret, Sourced, Value
from provisioner.talos.config.path import Pattern, any_matches, patterns

_NAMES = frozenset(
    {
        "aescbcEncryptionSecret",
        "apiToken",
        "identityToken",
        "key",
        "passphrase",
        "password",
        "presharedKey",
        "privateKey",
        "secret",
        "secretboxEncryptionSecret",
        "token",
        "uniqueToken",
    }
)

_PLACES: Mapping[str, tuple[Pattern, ...]] = {
    "": patterns("machine.registries.config.*.auth.auth", "cluster.extraManifestHeaders.*"),
    "DiscoveryIdentityConfig": patterns("clusterSecret"),
    "ExtensionServiceConfig": patterns("configFiles.*.content", "environment.*"),
    "KubeExternalManifestConfig": patterns("headers.*"),
    "RegistryAuthConfig": patterns("auth"),
    "SideroLinkConfig": patterns("apiUrl"),  # the join token is part of the URL
}
"""By document kind, empty for the root."""


def mark_secrets(documents: Iterable[Mapping[str, Value]]) -> tuple[Mapping[str, Value], ...]:
    """The documents with their secret leaves as `Secret`; empty leaves stay plain, they hide nothing."""
    return tuple(
        {key: _marked(value, (key,), _PLACES.get(_kind(document), ())) for key, value in document.items()}
        for document in documents
    )


def _kind(document: Mapping[str, Value]) -> str:
    kind = document.get("kind")
    return kind if isinstance(kind, str) else ""


def _marked(value: Value, path: Path, places: tuple[Pattern, ...]) -> Value:
    if isinstance(value, Mapping):
        return {key: _marked(item, (*path, key), places) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_marked(item, (*path, index), places) for index, item in enumerate(value))
    if value is None or value == "" or not (path[-1] in _NAMES or any_matches(places, path)):
        return value
    match value:
        case str() | int() | float():
            return Secret(value)
        case Sourced(value=str() | int() | float() as inner, origin=origin):
            return Sourced(Secret(inner), origin)
        case _:
            return value
