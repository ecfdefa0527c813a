"""Which leaves of a configuration are secret.

A configuration read from a node is plain text; here its secrets get their mark, before anything can print
them. Three rules: leaves with a telling name are secret wherever they stand, a table adds the places whose
names do not tell, and some texts tell themselves. Marking too much only hides a value from people, so the names
are broad.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from provisioner.sdk import Path, Secret, Sourced, Value, leaves, strip_origins
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
    "": patterns("machine.env.*", "machine.registries.config.*.auth.auth", "cluster.extraManifestHeaders.*"),
    "ContainerConfig": patterns("environment.*"),
    "DiscoveryIdentityConfig": patterns("clusterSecret"),
    "EnvironmentConfig": patterns("variables.*"),
    "ExtensionServiceConfig": patterns("configFiles.*.content", "environment.*"),
    "KubeExternalManifestConfig": patterns("headers.*"),
    "RegistryAuthConfig": patterns("auth"),
    "SideroLinkConfig": patterns("apiUrl"),  # the join token is part of the URL
}
"""By document kind, empty for the root."""

_FREE: Mapping[str, tuple[Pattern, ...]] = {
    "": patterns("machine.env.*", "cluster.extraManifestHeaders.*"),
    "ContainerConfig": patterns("environment.*"),
    "EnvironmentConfig": patterns("variables.*"),
    "ExtensionServiceConfig": patterns("environment.*"),
    "KubeExternalManifestConfig": patterns("headers.*"),
}
"""Those of them whose values people name themselves: each may be a secret, and most are none."""

_NAMED_SECRET = re.compile(
    r"secret|token|passw(or)?d|passphrase|credential|(api|access|private|auth)[-_.]?key"
    r"|(?<![^-_.])(pass|pwd|auth|authorization|cookie|key)$",
    re.IGNORECASE,
)
_NAMED_OTHERWISE = re.compile(r"[-_.](dir|endpoint|file|id|name|path|ttl|uri|url)$", re.IGNORECASE)
"""What has to do with a secret and is none, such as `VAULT_TOKEN_FILE`."""

_WITH_PASSWORD = re.compile(r"(^|[/\s,=])[^/@\s:,=]+:[^/@\s]+@")
"""`user:password@`, with or without `://` before it."""

_TELLING = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"  # a file, a manifest, a key where no key is expected
    r"|://[^/@\s:]+:[^/@\s]+@"  # a URL with a password, such as that of a proxy
    r"""|^[ \t"'{-]*kind["']?: *["']?Secret\b""",  # a manifest for Kubernetes
    re.MULTILINE,
)
"""Texts that hold a secret wherever they stand."""


def mark_secrets(documents: Iterable[Mapping[str, Value]]) -> tuple[Mapping[str, Value], ...]:
    """The documents with their secret leaves as `Secret`; empty leaves stay plain, they hide nothing."""
    return tuple(
        {key: _marked(value, (key,), _PLACES.get(_kind(document), ())) for key, value in document.items()}
        for document in documents
    )


def without_secrets(message: str, documents: Iterable[Mapping[str, Value]]) -> str:
    """A machine's words about a configuration, with its secrets cut out in every form a machine quotes them in.

    Talos quotes values plainly and with escapes, and its YAML library the beginning of a value that is too long:
    "cannot unmarshal !!str `abcdefg...` into int" (go-yaml, decode.go).
    """
    secrets = [leaf.reveal() for _, leaf in leaves(tuple(documents)) if isinstance(leaf, Secret)]
    texts = {text for text in secrets if isinstance(text, str) and text}
    for text in sorted(texts, key=len, reverse=True):  # one secret may be part of another
        forms = (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], f"`{text[:7]}...`")
        for form in forms:
            message = message.replace(form, "***")
    return message


def named_secret(document: Mapping[str, Value], path: Path, text: str) -> bool:
    """Whether a marked leaf shows that it is a secret: by its place, its name, or what stands in it.

    Not so an innocent variable of an environment, which is marked only because any of them may be one.
    """
    if not any_matches(_FREE.get(_kind(document), ()), path):
        return True
    name, value = str(path[-1]), text
    if isinstance(path[-1], int):  # an environment as a list, of `NAME=VALUE`
        name, _, value = text.partition("=")
    named = _NAMED_SECRET.search(name) is not None and _NAMED_OTHERWISE.search(name) is None
    return named or _tells(value) or _WITH_PASSWORD.search(value) is not None


def _kind(document: Mapping[str, Value]) -> str:
    kind = strip_origins(document.get("kind"))
    return kind if isinstance(kind, str) else ""


def _tells(value: Value) -> bool:
    text = value.value if isinstance(value, Sourced) else value
    return isinstance(text, str) and _TELLING.search(text) is not None


def _marked(value: Value, path: Path, places: tuple[Pattern, ...]) -> Value:
    if isinstance(value, Mapping):
        return {key: _marked(item, (*path, key), places) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_marked(item, (*path, index), places) for index, item in enumerate(value))
    if value is None or value == "" or not (path[-1] in _NAMES or any_matches(places, path) or _tells(value)):
        return value
    match value:
        case str() | int() | float():
            return Secret(value)
        case Sourced(value=str() | int() | float() as inner, origin=origin):
            return Sourced(Secret(inner), origin)
        case _:
            return value
