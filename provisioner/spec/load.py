"""A cluster file from the disk to a `ClusterSpec`; the only module here that reads files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import evolve

from provisioner.errors import Place
from provisioner.model.address import Address
from provisioner.model.value import Call, Ref, Secret, Sourced
from provisioner.spec.decode import Outside, decode
from provisioner.spec.document import ListNode, MapNode, Node, ScalarNode, parse
from provisioner.spec.files import Folder
from provisioner.spec.findings import Findings
from provisioner.spec.schema import ClusterSpec
from provisioner.spec.vault import Kept, Unseal, unsealed_by_nobody


def load(
    path: Path, *, variables: Mapping[str, str], environ: Mapping[str, str], unseal: Unseal = unsealed_by_nobody
) -> ClusterSpec:
    """Reads a cluster file and the patches it names.

    `variables` are texts by name from the command line, `environ` is the environment, `unseal` opens what is sealed.
    Raises InputError with every problem found, each with its place.
    """
    path = path.absolute()
    folder = Folder(path.parent, Path.cwd())
    shown = folder.shown(path.name)
    findings = Findings()
    root = _root(_documents(folder, path, findings), shown, findings)
    if root is None:
        findings.settle()
        raise AssertionError("a file without a root has a problem")
    spec = decode(root, path, folder, Outside(variables, environ, Kept(folder, unseal)), findings)
    findings.settle()
    return evolve(spec, digest=digest(spec))


def _documents(folder: Folder, path: Path, findings: Findings) -> tuple[Node, ...]:
    shown = folder.shown(path.name)
    try:
        data = folder.read(path.name)
    except (OSError, ValueError) as err:
        said = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
        findings.add(
            "file-unreadable",
            "the cluster file cannot be read",
            Place(shown),
            detail=said,
            remedy="name it with --file, or change into its folder",
        )
        return ()
    return parse(data, shown, findings)


def _root(documents: tuple[Node, ...], shown: str, findings: Findings) -> MapNode | None:
    """The one mapping a cluster file consists of."""
    for extra in documents[1:]:
        findings.add(
            "yaml-documents",
            "the file has more than one document",
            extra.place,
            detail="another document begins here, after a `---`",
            remedy="one file describes one cluster; make it two files",
        )
    match documents[:1]:
        case (MapNode() as root,):
            return root
        case (ListNode() | ScalarNode() as other,) if not (isinstance(other, ScalarNode) and other.value is None):
            kind = "a list" if isinstance(other, ListNode) else "a text"
            findings.add(
                "not-a-mapping",
                "the file is no mapping",
                other.place,
                detail=f"it is {kind}; a cluster file has keys such as `version:` and `name:`",
                remedy="begin with `version: 1`",
            )
        case _ if not findings:
            findings.add(
                "file-empty",
                "the file is empty",
                Place(shown, 1, 1),
                detail="it has no keys, or comments only",
                remedy="begin with `version: 1`",
            )
    return None


def digest(spec: ClusterSpec) -> str:
    """SHA-256 of all that has a meaning, as hexadecimal digits: places and comments change nothing.

    Secrets are hashed in, so a changed secret changes it; they cannot be read back out of it.
    """
    content = {
        item.name: _canonical(getattr(spec, item.name))
        for item in attrs.fields(ClusterSpec)
        if item.name not in ("path", "digest")
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Plain data, each special leaf under a key of its own. Mappings lose their order: it means nothing."""
    match value:
        case str() | int() | float() | None:
            return value
        case Sourced():
            return _canonical(value.value)
        case Secret():
            return {"$secret": value.reveal()}
        case Ref():
            return {"$ref": [str(value.to), value.output]}
        case Call():
            return {"$call": [value.fn, *(_canonical(arg) for arg in value.args)]}
        case Address():
            return str(value)
        case Mapping():
            return {str(key): _canonical(item) for key, item in value.items()}
        case tuple():
            return [_canonical(item) for item in value]
        case _ if attrs.has(type(value)):
            fields = (
                item for item in attrs.fields(type(value)) if item.name not in ("place", "places", "image_place")
            )
            return {item.name: _canonical(getattr(value, item.name)) for item in fields}
        case _:
            return value
