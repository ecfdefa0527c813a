"""Patches of the machine configuration, in files and in the cluster file itself.

An entry of `patches:` has one of four forms:

    - patches/all.yaml                            a file
    - machine: {sysctls: {vm.max_map_count: "1"}} a document, written here; or an operation of a JSON patch
    - '[{"op": "remove", "path": "/machine/env"}]' the text of a patch: it begins with a bracket, or has several lines
    - file: patches/gpu.yaml                      the same with more said: `file` or `inline` (a document, a list of
      role: worker                                them, or a text), for whom (`role` or `node`, top level only), and
      expand: true                                whether a file's ${…} are ours (they are Talos's own otherwise)

A patch is made of documents, or of operations (a JSON patch), never of both.

Files are relative to the cluster file and taken literally unless `expand: true`; what stands in the cluster file is
always expanded. Every scalar carries the file and line it was written in, so a plan can say where it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import field, frozen

from provisioner.errors import Place, did_you_mean
from provisioner.model.topology import Role
from provisioner.model.value import Origin, Secret, Sourced, Value
from provisioner.spec.document import ListNode, MapNode, Node, ScalarNode, parse
from provisioner.spec.fields import Fields, Reader
from provisioner.spec.files import Folder
from provisioner.spec.findings import Findings
from provisioner.spec.schema import Patch

ROLES: Mapping[str, Role] = {"controlplane": "controlplane", "worker": "worker"}

_LONG_FORM: Final = ("file", "inline", "role", "node", "expand")
_ROOT_KEYS: Final = ("version", "debug", "persist", "machine", "cluster", "$patch")
"""Keys of the one document without a kind, Talos's v1alpha1 root."""


@frozen
class PatchReader:
    """Reads `patches:` lists. `main` is the name of the cluster file, as origins show it."""

    reader: Reader
    folder: Folder
    main: str
    nodes: tuple[str, ...] = ()
    sure: bool = True
    """Whether `nodes` are all there are; a pool with a problem leaves them open."""
    _files: dict[str, tuple[Node, ...]] = field(factory=dict, init=False, repr=False)

    def read(self, node: Node | None, what: str, *, targets: bool) -> tuple[Patch, ...]:
        """The patches of a list; `targets` allows entries to say whom they are for."""
        if node is None:
            return ()
        if not isinstance(node, ListNode):
            self.reader.wrong_type(node, "a list", what)
            return ()
        read = (self._entry(item, f"{what}[{at}]", targets=targets) for at, item in enumerate(node.items))
        return tuple(patch for patch in read if patch is not None)

    def _entry(self, node: Node, what: str, *, targets: bool) -> Patch | None:
        if isinstance(node, ScalarNode) and _is_patch_text(node):
            return Patch(self._inline(node, what), place=node.place)
        if isinstance(node, ScalarNode):
            name = self.reader.scalar(node, str, what)
            return None if name is None else Patch(self._file(name, node.place, expand=False), place=node.place)
        if isinstance(node, MapNode) and any(key in node.entries for key in _LONG_FORM):
            return self._long(Fields(self.reader, node, what), targets=targets)
        return Patch(self._inline(node, what), place=node.place)

    def _long(self, fields: Fields, *, targets: bool) -> Patch | None:
        file = fields.take("file")
        inline = fields.take("inline")
        expand = fields.scalar("expand", bool)
        role = self._role(fields) if targets else None
        target = self._node(fields) if targets else None
        fields.finish()
        if (file is None) == (inline is None):
            self.reader.wrong_value(
                fields.place, f"{fields.what} must have either `file` or `inline`", "keep one of the two"
                if file is not None else "name a file, or write the document under `inline:`"
            )  # fmt: skip
            return None
        if role is not None and target is not None:
            self.reader.wrong_value(
                fields.key_place("role"), f"{fields.what} has both `role` and `node`", "keep one of the two"
            )
        if inline is not None:
            if expand is not None:
                self.reader.wrong_value(
                    fields.key_place("expand"),
                    f"{fields.name('expand')} is for files; what stands in the cluster file is always expanded",
                    "remove it, and write $${ for a literal ${",
                )
            return Patch(self._inline(inline, fields.name("inline")), role, target, fields.place)
        assert file is not None
        name = self.reader.scalar(file, str, fields.name("file"))
        if name is None:
            return None
        return Patch(self._file(name, file.place, expand=bool(expand)), role, target, fields.place)

    def _role(self, fields: Fields) -> Role | None:
        text = fields.scalar("role", str)
        if text is not None and text not in ROLES:
            self.reader.wrong_value(
                fields.node.entries["role"].place, f"{fields.name('role')} is {text!r}", did_you_mean(text, ROLES)
            )
        return None if text is None else ROLES.get(text)

    def _node(self, fields: Fields) -> str | None:
        name = fields.scalar("node", str)
        if name is not None and name not in self.nodes and self.sure:
            self.reader.findings.add(
                "unknown-node",
                "there is no such node",
                fields.node.entries["node"].place,
                detail=f"{fields.name('node')} is {name!r}, but the pools have no node of that name",
                remedy=did_you_mean(name, self.nodes) or "add it to a pool",
            )
        return name

    def _inline(self, node: Node, what: str) -> tuple[Mapping[str, Value], ...]:
        if isinstance(node, ScalarNode) and _is_patch_text(node):
            return self._documents(self._text(node), what, self._expanded(self.main))
        documents = node.items if isinstance(node, ListNode) else (node,)
        return self._documents(documents, what, self._expanded(self.main))

    def _text(self, node: ScalarNode) -> tuple[Node, ...]:
        """The documents of a patch that is written as one text; all of it stands where the text does."""
        findings = Findings()
        documents = parse(node.text.encode(), node.place.file, findings)
        for problem in findings.problems:
            self.reader.findings.add(
                problem.code, problem.summary, node.place, detail=problem.detail, remedy=problem.remedy
            )
        return tuple(_placed(document, node.place) for document in documents)

    def _file(self, name: str, place: Place, *, expand: bool) -> tuple[Mapping[str, Value], ...]:
        if name not in self._files:
            self._files[name] = self._parsed(name, place)
        leaf = self._expanded(name) if expand else _literal(name)
        return self._documents(self._files[name], f"the patch {name}", leaf)

    def _parsed(self, name: str, place: Place) -> tuple[Node, ...]:
        try:
            data = self.folder.read(name)
        except (OSError, ValueError) as err:
            said = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
            self.reader.findings.add(
                "patch-file",
                "a patch file cannot be read",
                place,
                detail=f"{self.folder.shown(name)}: {said}" if "\0" not in name else "its name has a NUL in it",
                remedy="names of patch files are relative to the cluster file",
            )
            return ()
        return parse(data, self.folder.shown(name), self.reader.findings)

    def _documents(
        self, nodes: tuple[Node, ...], what: str, leaf: Callable[[ScalarNode], Value]
    ) -> tuple[Mapping[str, Value], ...]:
        flat = tuple(item for node in nodes for item in (node.items if isinstance(node, ListNode) else (node,)))
        if any(map(_is_operation, flat)):
            return self._operations(flat, what, leaf)
        found: list[Mapping[str, Value]] = []
        known: set[tuple[str, ...]] = set()
        for node in nodes:
            if isinstance(node, ScalarNode) and node.value is None:
                continue  # nothing between two `---`
            if not isinstance(node, MapNode):
                self.reader.wrong_type(node, "a mapping", what)
                continue
            identity = self._identity(node, what)
            if identity is not None and identity in known:
                self.reader.findings.add(
                    "patch-twice",
                    "one patch has the same document twice",
                    node.place,
                    detail=f"{what} has {' '.join(identity) or 'the document without a kind'} more than once",
                    remedy="merge the two, or make them two patches",
                )
            known.update(() if identity is None else (identity,))
            found.append({key: _tree(item, leaf) for key, item in node.entries.items()})
        return tuple(found)

    def _operations(
        self, nodes: tuple[Node, ...], what: str, leaf: Callable[[ScalarNode], Value]
    ) -> tuple[Mapping[str, Value], ...]:
        """The operations of a JSON patch; whether they fit is seen when they are done."""
        found: list[Mapping[str, Value]] = []
        for node in nodes:
            if isinstance(node, MapNode) and _is_operation(node):
                found.append({key: _tree(item, leaf) for key, item in node.entries.items()})
                continue
            self.reader.findings.add(
                "patch-mixed",
                "a part of a JSON patch is no operation",
                node.place,
                detail=f"{what} has operations, and something here that has not both `op` and `path`",
                remedy="complete it; documents go into a patch of their own",
            )
        return tuple(found)

    def _identity(self, node: MapNode, what: str) -> tuple[str, ...] | None:
        """What makes a document itself: nothing for the root, else its kind and name; None if it is faulty."""
        if "kind" not in node.entries and "apiVersion" not in node.entries:
            for key in node.entries:
                if key not in _ROOT_KEYS:
                    self.reader.findings.add(
                        "patch-key",
                        "the machine configuration has no such key",
                        node.keys[key],
                        detail=f"{what} has {key!r} at the top of a document without `kind`",
                        remedy=did_you_mean(key, _ROOT_KEYS),
                    )
            return ()
        for key in ("apiVersion", "kind"):
            if not isinstance(node.entries.get(key), ScalarNode):
                self.reader.findings.add(
                    "missing-key",
                    "a required key is missing",
                    node.place,
                    detail=f"{what}: a document with a kind needs both `apiVersion` and `kind`",
                    remedy=f"add `{key}:` here",
                )
                return None
        named = (node.entries[key] for key in ("kind", "name") if key in node.entries)
        return tuple(item.text for item in named if isinstance(item, ScalarNode))

    def _expanded(self, file: str) -> Callable[[ScalarNode], Value]:
        return lambda node: _mark(self.reader.free(node), Origin(file, node.place.line))


def _is_operation(node: Node) -> bool:
    """Whether a node is an operation of a JSON patch: no configuration document has these keys at its top."""
    return isinstance(node, MapNode) and {"op", "path"} <= node.entries.keys()


def _is_patch_text(node: ScalarNode) -> bool:
    """Whether a text is a patch rather than the name of a file; the rule is talosctl's."""
    return isinstance(node.value, str) and (node.text.lstrip()[:1] in ("[", "{") or "\n" in node.text)


def _placed(node: Node, place: Place) -> Node:
    """The node with all of it at one place."""
    match node:
        case MapNode():
            entries = {key: _placed(item, place) for key, item in node.entries.items()}
            return MapNode(entries, dict.fromkeys(node.keys, place), place)
        case ListNode():
            return ListNode(tuple(_placed(item, place) for item in node.items), place)
        case ScalarNode():
            return ScalarNode(node.value, node.text, place)


def _literal(file: str) -> Callable[[ScalarNode], Value]:
    return lambda node: Sourced(node.value, Origin(file, node.place.line))


def _tree(node: Node, leaf: Callable[[ScalarNode], Value]) -> Value:
    match node:
        case MapNode():
            return {key: _tree(item, leaf) for key, item in node.entries.items()}
        case ListNode():
            return tuple(_tree(item, leaf) for item in node.items)
        case ScalarNode():
            return leaf(node)


def _mark(value: Value, origin: Origin) -> Value:
    """Puts the origin on every known scalar of a value; references and calls have none."""
    match value:
        case Mapping():
            return {key: _mark(item, origin) for key, item in value.items()}
        case tuple():
            return tuple(_mark(item, origin) for item in value)
        case None | bool() | int() | float() | str() | Secret():
            return Sourced(value, origin)
        case _:
            return value
