"""Documents by name, so that two configurations are compared whatever the order of their documents.

A document is called by its kind, and its name where it has one: `VolumeConfig EPHEMERAL`. The root document
has no kind; it is number 0.
"""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.sdk import Value, strip_origins

ROOT = 0

Name = str | int


def name_of(document: Value) -> Name:
    """What a document is called among the documents of its configuration."""
    if not isinstance(document, Mapping):
        return ROOT
    words = [strip_origins(document.get(key)) for key in ("kind", "name")]
    kind, name = (word if isinstance(word, str) else "" for word in words)
    return f"{kind} {name}".strip() if kind else ROOT


def kind_of(name: Name) -> str:
    """The kind of a document that is called so; empty for the root."""
    return name.partition(" ")[0] if isinstance(name, str) else ""
