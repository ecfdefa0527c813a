"""Places in a configuration, as people write them.

A path is written as plans and patches write it: `machine.sysctls.vm.max_map_count` leads into the root document,
`KubeletConfig.image` and `LinkConfig/eth0.mtu` into another one, and `machine.kubelet` to all below it. Keys may
have dots in them; whatever reading fits is taken. Keys may also be quoted: `machine.sysctls["a.b"]`.
What a plan shows is taken as well: `documents[0].machine.sysctls["a.b"]`, `documents["LinkConfig eth0"].mtu`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from provisioner.errors import ProvError, did_you_mean
from provisioner.model.value import Path, Value, leaves
from provisioner.talos.config.assemble import Documents
from provisioner.talos.config.named import name_of
from provisioner.talos.config.patch import Identity, identity_of
from provisioner.talos.config.path import dotted

_SHOWN = re.compile(r'documents\[(?:(?P<number>\d+)|"(?P<name>[^"]+)")\]')
"""A document as plans show it, which call them as `named` does."""


class UnknownPath(ProvError):
    """Nothing stands at a path; the remedy names one that is near."""

    code = "unknown-path"


def matching(text: str, documents: Documents) -> Iterator[tuple[Identity, Path]]:
    """The leaves that a path leads to, in the order of the configuration."""
    shown = _SHOWN.match(text)
    if shown:
        for document in documents:
            if name_of(document) == (shown["name"] or int(shown["number"])):
                below = _below(text[shown.end() :].removeprefix("."), document, ())
                yield from ((identity_of(document), path) for path in below)
        return
    for document in documents:
        identity = identity_of(document)
        for name in _names(identity):
            if name == "":
                yield from ((identity, path) for path in _below(text, document, ()))
            elif text == name:
                yield from ((identity, path) for path, _ in leaves(document))
            elif text.startswith((f"{name}.", f"{name}[")):
                yield from ((identity, path) for path in _below(text[len(name) :].removeprefix("."), document, ()))


def _names(identity: Identity) -> tuple[str, ...]:
    if not identity.kind:
        return ("",)
    return (f"{identity.kind}/{identity.name}", identity.kind) if identity.name else (identity.kind,)


def _below(text: str, value: Value, path: Path) -> Iterator[Path]:
    """The leaves at and below a path that is written from here on."""
    if not text:
        yield from (found for found, _ in leaves(value, path))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            for form in (key, f'["{key}"]', f"['{key}']"):
                rest = text.removeprefix(form)
                if text.startswith(form) and (not rest or rest[0] in ".["):
                    yield from _below(rest.removeprefix("."), item, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            rest = text.removeprefix(f"[{index}]")
            if rest != text:
                yield from _below(rest.removeprefix("."), item, (*path, index))


def unknown(text: str, nodes: Mapping[str, Documents]) -> UnknownPath:
    """That the path leads nowhere in the configurations of these nodes, with the nearest one that does."""
    known = {name for documents in nodes.values() for document in documents for name in _written(document)}
    some = [*list(nodes)[:3], *(["…"] if len(nodes) > 3 else [])]
    return UnknownPath(
        "nothing is set at this path",
        detail=f"{text}: no configuration has it, of {', '.join(some)}",
        remedy=did_you_mean(text, known),
    )


def _written(document: Mapping[str, Value]) -> Iterator[str]:
    """Every path of a document, as it is written."""
    identity = identity_of(document)
    for path, _ in leaves(document):
        yield from (label(identity, path[:depth]) for depth in range(1, len(path) + 1))
    yield from (name for name in _names(identity) if name)


def label(identity: Identity, path: Path) -> str:
    name = _names(identity)[0]
    return f"{name}.{dotted(path)}" if name and path else name or dotted(path)
