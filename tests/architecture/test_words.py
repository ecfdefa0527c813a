"""What people are told reads as if one person had written it; docs/words.md has the rules.

Errors, problems and progress are found in the code by the names of parameters: whatever is given as a summary, a
detail, a remedy or a note, to whichever class or function, is a text for people. Only what stands there literally can
be looked at; a placeholder counts as well written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from attrs import frozen

ROOT = Path(__file__).parents[2]
FOREIGN = ROOT / "providers" / "sim" / "src" / "prov_sim" / "machine"
"""Speaks in the words of Talos and Kubernetes, which are not ours to choose."""
MODULES = sorted(
    path
    for package in (ROOT / "provisioner", *(ROOT / "providers").glob("*/src"))
    for path in package.rglob("*.py")
    if not path.name.endswith(("_pb2.py", "_grpc.py")) and not path.is_relative_to(FOREIGN)
)
FOR_PEOPLE = frozenset({"summary", "detail", "remedy", "note", "reason", "sentence"})
SAYING = frozenset({"say", "tell"})
"""Functions whose first argument is for people, whatever they call it."""
PROPER = frozenset({"Kubernetes", "Talos"})
"""Names that keep their capital at the beginning of a text, as abbreviations and words from code do by their form."""


@frozen
class Text:
    """A literal text with `{}` where values go, and where it stands."""

    place: str
    what: str
    text: str


@pytest.mark.parametrize(
    "text",
    [
        "a machine did not answer",
        "Talos runs no such Kubernetes",
        "JSON patches take a single document",
        "HostnameConfig stands twice",
        "`prov apply` by {}",
        "{}: {}",
        "did you mean {}?",
        "write v1.13.9, or a file such as cluster.yaml",
        "{}…",
        "4 machines are up",
    ],
)
def test_a_text_in_the_style_of_the_house_passes(text: str) -> None:
    assert fault_of(text) == ""


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("begins with a capital", "A machine did not answer"),
        ("begins with a capital", "Bring the others back"),
        ("ends with a full stop", "wipe it, or make it anew."),
        ("ends with a full stop", "{}: {}."),
        ("has two sentences", "check the address. If it is right, wait"),
    ],
)
def test_a_text_in_another_style_does_not(fault: str, text: str) -> None:
    assert fault_of(text) == fault


def test_texts_are_found_wherever_they_are_handed_in() -> None:
    """By position and by name; through attrs classes, subclasses, `super()`, helpers, methods and choices."""
    tree = ast.parse(
        """
@frozen
class Problem:
    code: str
    summary: str
    detail: str = ""

class Trouble(Exception):
    def __init__(self, summary, *, remedy=""): ...

class Late(Trouble):
    code = "late"

class Own(Late):
    def __init__(self, host):
        super().__init__("one", remedy=f"ask {host}")

class Book:
    def add(self, code, summary): ...

def _error(place, summary): ...

Problem("not looked at", "two", detail="three")
Late("four" if x else "five")
book.add("not looked at", "six")
_error("not looked at", "seven " + name or "eight")
ctx.say("nine")
Own("not looked at")
"""
    )

    found = list(_texts_in("here.py", tree, _signatures([tree])))

    assert [text.text for text in found] == [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven {}",
        "eight",
        "nine",
        "one",
        "ask {}",
    ]


def test_everything_people_are_told_is_in_the_style_of_the_house() -> None:
    """Lower case at the beginning, no full stop at the end, one sentence: parts are joined with `;` or `:`."""
    trees = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in MODULES}
    signatures = _signatures(trees.values())
    texts = [text for name, tree in trees.items() for text in _texts_in(name, tree, signatures)]

    assert len(texts) > 200
    assert {text.what for text in texts} == FOR_PEOPLE | SAYING
    assert [f"{text.place}: {fault}: {text.text}" for text in texts if (fault := fault_of(text.text))] == []


def fault_of(text: str) -> str:
    """What is wrong with the style of a text for people; empty if nothing is."""
    first = re.match(r"\w+", text)
    if first and first[0] not in PROPER and re.fullmatch("[A-Z][a-z]*", first[0]):
        return "begins with a capital"
    if text.endswith("."):
        return "ends with a full stop"
    return "has two sentences" if re.search(r"[\w})`']\. [A-Z]", text) else ""


Signatures = Mapping[str, Sequence[str]]


def _signatures(trees: Iterable[ast.Module]) -> Signatures:
    """The parameters of every class and function that takes texts for people, by its bare name.

    Of several functions with one name only one is known.
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    known = {name: _parameters_of_class(name, classes) for name in classes}
    known |= {node.name: _parameters(node) for node in functions if not FOR_PEOPLE.isdisjoint(_parameters(node))}
    return known


def _parameters_of_class(name: str, classes: Mapping[str, ast.ClassDef]) -> Sequence[str]:
    """Those of its `__init__`, its fields if it is an attrs class, or what its first base has."""
    node = classes.get(name)
    if node is None:
        return ()
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return _parameters(item)
    if node.decorator_list:
        return [ast.unparse(item.target) for item in node.body if isinstance(item, ast.AnnAssign)]
    return _parameters_of_class(_base(node), classes)


def _parameters(node: ast.FunctionDef) -> Sequence[str]:
    return [arg.arg for arg in node.args.args if arg.arg not in ("self", "cls")]


def _base(node: ast.ClassDef) -> str:
    return next((base.id for base in node.bases if isinstance(base, ast.Name)), "")


def _texts_in(name: str, tree: ast.Module, signatures: Signatures) -> Iterator[Text]:
    bases = {
        id(call): _base(node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for call in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            callee = _callee(node, bases.get(id(node), ""))
            for what, value in _given(node, callee, signatures.get(callee, ())):
                yield from (Text(f"{name}:{value.lineno}", what, text) for text in _literal(value))


def _callee(call: ast.Call, base: str) -> str:
    """The bare name of what is called; for `super().__init__` that of the base class."""
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"):
            return base
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _given(call: ast.Call, callee: str, parameters: Sequence[str]) -> Iterator[tuple[str, ast.expr]]:
    """The arguments that are for people, with what they are."""
    if callee in SAYING and call.args:
        yield callee, call.args[0]
        return
    named = [*zip(parameters, call.args, strict=False), *((item.arg, item.value) for item in call.keywords)]
    yield from ((what, value) for what, value in named if what in FOR_PEOPLE)


def _literal(value: ast.expr) -> Iterator[str]:
    """What can be read of an expression: each text that it may become; nothing where it is computed as a whole."""
    match value:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from (*_literal(one), *_literal(other))
        case ast.BoolOp(values=options):
            yield from (text for option in options for text in _literal(option))
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            ends = [*_literal(right)] or ["{}"]
            yield from (start + end for start in [*_literal(left)] or ["{}"] for end in ends)
