"""`${…}` in the strings of the file.

A string that is one expression takes the expression's value and type; an expression within text becomes part of the
text. `$${` writes a literal `${`. Plain references are read here, by hand:

    ${var.NAME}   ${env.NAME}   ${cluster.name}   ${cluster.endpoint}
    ${resources.NAME.OUTPUT}    ${nodes.NAME.ip}    ${nodes["NAME"].ip}    ${each.key}   ${each.value.PART}
    ${file.NAME}   ${file["PATH"]}   ${sealed["TEXT"]}

Anything else is CEL over the same names (`${var.workers + 1}`, `${var.env == "prod" ? 3 : 1}`), where names with a
dash need brackets. What is known is computed at once; the rest stays a `Call` that apply finishes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from provisioner.model.functions import CORE
from provisioner.model.value import Call, Ref, Value, evaluate, has_secret, is_known
from provisioner.spec.references import ROOTS, ReferenceFault, Scope

MAX_LENGTH = 500
"""Characters in one CEL expression; its parser is recursive, and nobody reads longer ones."""

_PLAIN = re.compile(
    r"""(?P<root>var|env|file|sealed|cluster|resources|nodes|each)
        (?: \. (?P<name>[A-Za-z0-9_]+(?:-+[A-Za-z0-9_]+)*) | \[ (?P<quote>["']) (?P<quoted>[\w./-]+) (?P=quote) \] )
        (?: \. (?P<rest>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*) )?""",
    re.VERBOSE | re.ASCII,
)
_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<text>[rRbB]{0,2}(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<number>\d[\w.]*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign>.)""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)


@frozen
class _Inserted:
    """An expression found in a string, without its `${` and `}`."""

    source: str


@frozen
class _Token:
    kind: str
    text: str


def expand(text: str, scope: Scope) -> Value:
    """The value of a string of the file; raises ReferenceFault when an expression in it is wrong."""
    if text.startswith("${") and text.endswith("}") and (alone := _plain(text[2:-1].strip())):
        return scope.find(*alone)
    parts: list[Value] = []
    for part in _split(text):
        parts.append(part if isinstance(part, str) else _value(part.source.strip(), scope))
        if isinstance(part, _Inserted) and part.source and text == f"${{{part.source}}}":
            return parts[0]
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    for item in parts:
        if isinstance(item, tuple | dict):
            raise ReferenceFault(
                "expression-mixed",
                "a list or mapping cannot stand within text",
                detail="an expression in this text gives more than a single value",
                remedy='let the expression stand alone, or use .join(",") on a list',
            )
    return _now_or_later(Call("concat", tuple(parts)))


def has_expression(text: str) -> bool:
    """Whether `expand` would do anything."""
    return "${" in text


def _split(text: str) -> Iterator[str | _Inserted]:
    at = 0
    while at < len(text):
        start = text.find("${", at)
        if start < 0:
            yield text[at:]
            return
        if start > at and text[start - 1] == "$":
            yield text[at : start - 1] + "${"
            at = start + 2
            continue
        if start > at:
            yield text[at:start]
        end = _closing(text, start + 2)
        yield _Inserted(text[start + 2 : end])
        at = end + 1


def _closing(text: str, start: int) -> int:
    """The position of the brace that ends an expression; braces in its strings and mappings do not."""
    depth, at = 0, start
    while at < len(text):
        match = _TOKEN.match(text, at)
        piece = match.group() if match else text[at]
        if piece == "}" and depth == 0:
            return at
        depth += (piece == "{") - (piece == "}")
        at += len(piece)
    raise ReferenceFault(
        "expression-open",
        "an expression is not closed",
        detail="`${` has no `}` behind it",
        remedy="close it, or write $${ for a literal ${",
    )


def _value(source: str, scope: Scope) -> Value:
    if not source:
        raise ReferenceFault(
            "expression-empty",
            "an expression is empty",
            detail="nothing stands between `${` and `}`",
            remedy="name a value, as in ${var.name}, or write $${ for a literal ${",
        )
    if plain := _plain(source):
        return scope.find(*plain)
    if _NAME.fullmatch(source) and not _leads_somewhere(source):
        raise ReferenceFault(
            "expression-name",
            "an expression names nothing known",
            detail=f"${{{source}}} is neither a variable nor an output",
            remedy="write ${var.NAME}, ${env.NAME}, ${resources.NAME.OUTPUT} or ${cluster.endpoint}; "
            "$${ is a literal ${",
        )
    return _cel(source, scope)


def _plain(source: str) -> tuple[str, str, str] | None:
    """Root, name and the rest of a plain reference; None for what is for CEL to read."""
    found = _PLAIN.fullmatch(source)
    if found is None:
        return None
    root, name, quoted, rest = found.group("root", "name", "quoted", "rest")
    subtraction = root in ("var", "env") and "-" in (name or "")
    return None if subtraction else (root, name or quoted, rest or "")


def _leads_somewhere(source: str) -> bool:
    """Whether CEL can make something of dotted words: a constant, or `var.a-var.b`."""
    root, dot, _ = source.partition(".")
    return source in ("true", "false", "null") or (bool(dot) and root in ROOTS)


def _cel(source: str, scope: Scope) -> Value:
    if len(source) > MAX_LENGTH:
        raise ReferenceFault(
            "expression-long",
            "an expression is too long",
            detail=f"it has {len(source)} characters; at most {MAX_LENGTH} are allowed",
            remedy="split it over variables or outputs",
        )
    names: dict[str, Any] = {}
    rewritten = _bind(source, scope, names)
    _check_syntax(rewritten, source)
    return _now_or_later(Call("cel", (rewritten, names)))


def _bind(source: str, scope: Scope, names: dict[str, Any]) -> str:
    """Puts every name the expression uses into `names`; returns the source with `var` as `Var`.

    `var` is a reserved word of CEL. The new name is as long as the old one, so columns stay right.
    """
    tokens = [_Token(str(match.lastgroup), match.group()) for match in _TOKEN.finditer(source)]
    code = [token for token in tokens if token.kind != "space"]
    for at, token in enumerate(code):
        if token.kind == "word" and token.text in ROOTS and not (at and code[at - 1].text == "."):
            path = _path(code, at + 1)
            if not path:
                raise ReferenceFault(
                    "expression-name",
                    "an expression names nothing known",
                    detail=f"`{token.text}` stands alone in ${{{source}}}",
                    remedy=f"name what is meant, as in {token.text}.NAME; a name with a dash goes into brackets",
                )
            _put(names, token.text, path, scope)
    return "".join(
        "Var" if token.kind == "word" and token.text == "var" and not (at and tokens[at - 1].text == ".")
        else token.text
        for at, token in enumerate(tokens)
    )  # fmt: skip


def _path(code: list[_Token], at: int) -> list[str]:
    """The names behind a root: `.a.b` and `["a"].b`; a word that is called is a function, no name."""
    path: list[str] = []
    while at < len(code):
        head = [token.text for token in code[at : at + 3]]
        called = len(head) == 3 and head[2] == "("
        if head[0] == "." and len(head) > 1 and code[at + 1].kind == "word" and not called:
            path.append(head[1])
            at += 2
        elif not path and head[0] == "[" and len(head) == 3 and code[at + 1].kind == "text" and head[2] == "]":
            path.append(head[1][1:-1])
            at += 3
        else:
            break
    return path


def _put(names: dict[str, Any], root: str, path: list[str], scope: Scope) -> None:
    depth = {"var": 1, "env": 1, "cluster": 1, "nodes": 2}.get(root, len(path))
    path = path[:depth]
    value = scope.find(root, path[0], ".".join(path[1:]))
    inner = names.setdefault("Var" if root == "var" else root, {})
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
        if not isinstance(inner, dict):
            return  # a shorter path is bound already and leads here
    inner[path[-1]] = value


def _check_syntax(rewritten: str, source: str) -> None:
    import cel  # heavy, and most files need none of it

    try:
        cel.compile(rewritten)
    except (ValueError, RuntimeError) as err:
        said = str(err).partition("ERROR: <input>:1:")[2].partition("\n")[0].partition(" expecting ")[0]
        column, _, complaint = said.partition(": ")
        raise ReferenceFault(
            "expression-syntax",
            "an expression cannot be read",
            detail=f"${{{source}}}" + (f", character {column}: {complaint}" if complaint else ""),
            remedy="expressions are CEL, as in ${var.workers + 1}; $${ writes a literal ${",
        ) from err


def _now_or_later(call: Call) -> Value:
    """The result of a call when all it needs is known, else the call."""
    if not all(is_known(arg) for arg in call.args):
        return call
    try:
        return evaluate(call, _never, CORE)
    except ValueError as err:
        said = (
            "it uses a secret, so the reason is not shown" if has_secret(call.args) else str(err).partition(". ")[0]
        )
        raise ReferenceFault(
            "expression-failed",
            "an expression cannot be computed",
            detail=said.replace("Var.", "var."),
            remedy="check the types: CEL mixes none; int(x), double(x) and string(x) convert",
        ) from err


def _never(ref: Ref) -> Value:
    raise AssertionError(f"{ref} is not known")
