"""Patches for configuration documents.

A strategic-merge patch is itself a tuple of documents. Each finds its counterpart by apiVersion, kind and name;
the root document, which has none of them, finds the root. In each patch document the deletions come first, then
the rest is merged, or appended as a new document where there is no counterpart.

A JSON patch is a tuple of operations (see `operations`). It has no way to say which document it means, so Talos
takes it for a configuration of one document only, and so do we.

Patches append to lists, so they are merged into a freshly generated configuration only, never into one
that was read from a node: that would double the lists with every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from provisioner.sdk import Path, Place, ProvError, Sourced, Value, leaves, strip_origins
from provisioner.talos.config.operations import are_operations, operate, operation
from provisioner.talos.config.path import dotted
from provisioner.talos.config.removal import Deletion, remove, split
from provisioner.talos.config.strategic import ROOT, Misfit, combine

Document = Mapping[str, Value]


class PatchError(ProvError):
    """A patch that cannot be applied; the detail names document and path, the place the line."""

    code = "patch"


@frozen
class Identity:
    """What makes a document the one it is; all three empty for the root."""

    api_version: str = ""
    kind: str = ROOT
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip() or "the root document"


def merge(documents: Sequence[Document], patch_documents: Sequence[Document]) -> tuple[Document, ...]:
    """The documents with one patch applied: old ones in their order, new ones behind them.

    Leaves keep where they came from. Raises PatchError.
    """
    if are_operations(patch_documents):
        return _operated(documents, patch_documents)
    merged = {identity_of(document): document for document in documents}
    for identity, patch in _checked(patch_documents):
        try:
            deletions, rest = split(patch)
            base = _after(deletions, merged.get(identity), identity)
            if base is None:
                merged.pop(identity, None)
            else:
                merged[identity] = base
            if rest is not None:
                merged[identity] = _joined(base, rest, identity.kind)
        except Misfit as misfit:
            raise _refused(identity, patch, misfit) from None
    return tuple(merged.values())


def _operated(documents: Sequence[Document], operations: Sequence[Value]) -> tuple[Document, ...]:
    """The one document after a JSON patch."""
    if len(documents) != 1:
        raise _error(
            "a JSON patch does not fit a configuration of several documents",
            operations[0],
            f"it cannot say which of them it means: {', '.join(str(identity_of(each)) for each in documents)}",
            "write the change as a strategic-merge patch: a piece of the configuration itself",
        )
    document: Value = documents[0]
    for item in operations:
        try:
            document = operate(document, operation(item))
        except Misfit as misfit:
            where = f"at {'/'.join(map(str, ('', *misfit.path)))}: " if misfit.path else ""
            raise _error(
                "an operation of a JSON patch cannot be done",
                item,
                f"{where}{misfit.reason}",
                "compare it with the generated configuration; `prov why PATH` shows what stands at a path",
            ) from None
    assert isinstance(document, Mapping)  # no operation takes the whole of it
    return (document,)


def identity_of(document: Document) -> Identity:
    """the identity of a document; raises PatchError when it has only half of one."""
    version, kind = (_word(document, key) for key in ("apiVersion", "kind"))
    if bool(version) != bool(kind):
        raise _error(
            "a configuration document needs both apiVersion and kind",
            document,
            f"{kind or version} stands alone",
            "add the missing one; apiVersion is v1alpha1 for every kind there is",
        )
    return Identity(version, kind, _word(document, "name")) if kind else Identity()


def _checked(patch: Sequence[Document]) -> Iterator[tuple[Identity, Document]]:
    """The documents of a patch with their identities, each of which may appear once."""
    met: set[Identity] = set()
    for document in patch:
        if not isinstance(document, Mapping):
            raise _error(
                "a configuration document must be a mapping",
                document,
                "the patch has something else in its place",
                "write the change as a piece of the configuration itself",
            )
        identity = identity_of(document)
        if identity in met:
            raise _error(
                "a patch names the same document twice",
                document,
                str(identity),
                "join the two documents into one",
            )
        met.add(identity)
        yield identity, document


def _after(deletions: Sequence[Deletion], document: Document | None, identity: Identity) -> Document | None:
    """The document after the deletions; what is not there at all needs none."""
    for deletion in deletions:
        if not deletion.path and identity == Identity():
            raise Misfit((), "the root document cannot be deleted")
        if document is not None:
            document = remove(document, deletion, kind=identity.kind) if deletion.path else None
    return document


def _joined(base: Document | None, rest: Document, kind: str) -> Document:
    joined = rest if base is None else combine(base, rest, kind=kind)
    assert isinstance(joined, Mapping)
    return joined


def _word(document: Document, key: str) -> str:
    value = strip_origins(document.get(key))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # the name of a routing rule is its priority
    if value is None or isinstance(value, str):
        return value or ""
    raise _error(
        "the identity of a configuration document must be written out",
        document,
        f"{key} is not a plain text",
        f"write {key} as a text; references cannot stand there",
    )


def _refused(identity: Identity, patch: Document, misfit: Misfit) -> PatchError:
    where = f"{identity}, {dotted(misfit.path)}" if misfit.path else str(identity)
    return _error(
        "a patch does not fit the machine configuration",
        _at(patch, misfit.path),
        f"{where}: {misfit.reason}",
        "compare the patch with the generated configuration at this path",
    )


def _at(patch: Document, path: Path) -> Value:
    """The part of the patch at the path, or the nearest above it that there is."""
    value: Value = patch
    for key in path:
        if isinstance(value, Mapping) and key in value:
            value = value[str(key)]
        elif isinstance(value, tuple) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            break
    return value


def _error(summary: str, found: Value, detail: str, remedy: str) -> PatchError:
    return PatchError(summary, detail=detail, place=place_of(found), remedy=remedy)


def place_of(value: Value) -> Place | None:
    """Where the first leaf of a value that somebody wrote stands."""
    origin = next((leaf.origin for _, leaf in leaves(value) if isinstance(leaf, Sourced)), None)
    return None if origin is None else Place(file=origin.file, line=origin.line, column=1)
