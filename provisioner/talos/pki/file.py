"""Files with secrets in them, as documents whose every value knows its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from attrs import field, frozen

from provisioner.talos.pki.flaw import Flaw, Path

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover  (PyYAML built without libyaml)
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_MAX_DEPTH = 50


@frozen
class Documents:
    """What a YAML or JSON file has, with all scalars as texts, for only texts are looked for."""

    trees: tuple[Mapping[str, Any], ...] = field(repr=False)
    _nodes: tuple[yaml.Node, ...] = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Documents:
        """Reads a file's text; raises Flaw, without quoting it."""
        try:
            nodes = tuple(node for node in yaml.compose_all(text, Loader=_Loader) if _is_something(node))
        except yaml.YAMLError as err:
            mark = getattr(err, "problem_mark", None)
            where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise Flaw((), f"the file is no valid YAML{where}", "name a file that is YAML or JSON") from None
        if not all(isinstance(node, yaml.MappingNode) for node in nodes):
            raise Flaw((), "the file is no mapping", "name a secrets.yaml, or a control plane's configuration")
        return cls(tuple(_tree(node, 0) for node in nodes), nodes)

    def position(self, path: Path) -> tuple[int, int]:
        """Line and column, both from 1, of what a path leads to, or of the last thing on the way."""
        if not path:
            return 0, 0
        node = self._nodes[int(path[0])]
        for part in path[1:]:
            below = _below(node, part)
            if below is None:
                break
            node = below
        return node.start_mark.line + 1, node.start_mark.column + 1


def _is_something(node: yaml.Node) -> bool:
    return node is not None and not (isinstance(node, yaml.ScalarNode) and node.value in ("", "null", "~"))


def _tree(node: yaml.Node, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise Flaw((), "the file is nested too deeply", "name a secrets.yaml, or a control plane's configuration")
    match node:
        case yaml.MappingNode():
            return {str(key.value): _tree(value, depth + 1) for key, value in node.value}
        case yaml.SequenceNode():
            return tuple(_tree(item, depth + 1) for item in node.value)
        case _:
            return str(node.value)


def _below(node: yaml.Node, part: str | int) -> yaml.Node | None:
    match node:
        case yaml.MappingNode():
            return next((value for key, value in node.value if key.value == part), None)
        case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
            found = node.value[part]
            assert isinstance(found, yaml.Node)
            return found
        case _:
            return None
