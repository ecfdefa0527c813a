"""What the file declares under `variables:`, and the values the user gives.

    variables:
      workers: {type: int, default: 2}
      region:  {type: string, env: AWS_REGION}

A value comes from the first of these that has one: `--var NAME=VALUE`, the environment's `PROV_VAR_NAME`, the
environment variable named under `env`, the default. One that comes from outside is read by the declared type:
`string`, `int`, `number`, `bool` (true or false) or `list` (texts between commas).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from attrs import field, frozen

from provisioner.errors import Place, did_you_mean
from provisioner.model.value import Value
from provisioner.spec.document import ListNode, Node, ScalarNode, scalars
from provisioner.spec.expressions import has_expression
from provisioner.spec.fields import Fields, Reader

PREFIX = "PROV_VAR_"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TYPES: Mapping[str, str] = {
    "string": "text",
    "int": "a whole number",
    "number": "a number",
    "bool": "true or false",
    "list": "a list of single values",
}


@frozen
class Variables:
    """All declared variables: those with a value, those without, and the environment names declared plain."""

    values: Mapping[str, Value] = field(factory=dict)
    broken: frozenset[str] = frozenset()
    declared_env: frozenset[str] = frozenset()


def read_variables(
    table: Fields | None, reader: Reader, given: Mapping[str, str], environ: Mapping[str, str]
) -> Variables:
    """The variables of a file. `given` are the command line's."""
    values: dict[str, Value] = {}
    names: list[str] = []
    declared: set[str] = set()
    for name, node in table or ():
        names.append(name)
        if not _NAME.fullmatch(name):
            reader.findings.add(
                "name",
                "a name cannot be used",
                table.key_place(name) if table else node.place,
                detail=f"the variable {name!r} must begin with a small letter and have only a-z, 0-9 and _",
                remedy="rename it",
            )
        fields = reader.table(node, f"variables.{name}")
        if fields is None:
            continue
        value = _one(name, fields, given, environ)
        if value is not None:
            values[name] = value
        if (source := fields.scalar("env", str)) is not None:
            declared.add(source)
    _refuse_undeclared(names, reader, given)
    return Variables(values, frozenset(names) - values.keys(), frozenset(declared))


def _one(name: str, fields: Fields, given: Mapping[str, str], environ: Mapping[str, str]) -> Value:
    """The value of one variable; None when there is none, which is noted."""
    kind = fields.scalar("type", str, required=True)
    source = fields.scalar("env", str)
    default = fields.take("default")
    fields.finish()
    if kind is None:
        return None
    if kind not in _TYPES:
        fields.reader.wrong_value(
            fields.node.entries["type"].place,
            f"variables.{name}.type is {kind!r}",
            did_you_mean(kind, _TYPES) or f"the types are {', '.join(_TYPES)}",
        )
        return None
    plain = None if default is None else _default(default, kind, f"variables.{name}.default", fields.reader)
    outside: tuple[tuple[str, Mapping[str, str], str], ...] = (
        (f"--var {name}", given, name),
        (f"{PREFIX}{name}", environ, PREFIX + name),
    )
    if source is not None:
        outside = (*outside, (source, environ, source))
    for label, texts, key in outside:
        if key in texts:
            return _outside(texts[key], kind, label, name, fields.reader)
    if default is None:
        _note_missing(name, source, fields)
    return plain


def _default(node: Node, kind: str, what: str, reader: Reader) -> Value:
    if any(has_expression(leaf.text) for leaf in scalars(node)):
        reader.findings.add(
            "variable-default",
            "a default is a plain value",
            node.place,
            detail=f"{what} has an expression in it",
            remedy="use `env: NAME` to take the value from the environment, or put the expression where it is used",
        )
        return None
    match node:
        case ScalarNode(value=str(value)) if kind == "string":
            return value
        case ScalarNode(value=bool(value)) if kind == "bool":
            return value
        case ScalarNode(value=int(value)) if kind in ("int", "number") and not isinstance(value, bool):
            return value
        case ScalarNode(value=float(value)) if kind == "number":
            return value
        case ListNode() if kind == "list" and all(isinstance(item, ScalarNode) for item in node.items):
            return tuple(item.value for item in node.items if isinstance(item, ScalarNode))
    reader.wrong_type(node, _TYPES[kind], what)
    return None


def _outside(text: str, kind: str, label: str, name: str, reader: Reader) -> Value:
    try:
        return parse_text(text, kind)
    except ValueError:
        reader.findings.add(
            "variable-value",
            "a variable was given a value of another type",
            Place(file=label),
            detail=f"the variable {name} is declared as {kind}, so it must be {_TYPES[kind]}",
            remedy="give it another value, or declare another type",
        )
        return None


def parse_text(text: str, kind: str) -> Value:
    """A value from outside by its declared type; raises ValueError when it does not fit."""
    text.encode()  # bytes that are no UTF-8 arrive as surrogates, and fail here
    match kind:
        case "int" if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
            return int(text)
        case "number" if math.isfinite(float(text)):
            return int(text) if re.fullmatch(r"[-+]?[0-9]{1,18}", text) else float(text)
        case "bool" if text in ("true", "false"):
            return text == "true"
        case "list":
            return tuple(part.strip() for part in text.split(",")) if text.strip() else ()
        case "string":
            return text
    raise ValueError(kind)


def _note_missing(name: str, source: str | None, fields: Fields) -> None:
    fields.reader.findings.add(
        "variable-missing",
        "a variable has no value",
        fields.place,
        detail=f"the variable {name} has no default, and none was given"
        + (f"; the environment has no {source}" if source else ""),
        remedy=f"run with --var {name}=VALUE, set {PREFIX}{name}, or give it a default",
    )


def _refuse_undeclared(names: list[str], reader: Reader, given: Mapping[str, str]) -> None:
    for name in given:
        if name not in names:
            reader.findings.add(
                "variable-unknown",
                "there is no such variable",
                Place(file=f"--var {name}"),
                detail=f"the file declares no variable {name!r}",
                remedy=did_you_mean(name, names) or "declare it under `variables:`",
            )
