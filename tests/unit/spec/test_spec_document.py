"""YAML text as nodes: what scalars mean, where things stand, what is shared."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from provisioner.errors import InputError, Place
from provisioner.spec.document import MAX_ALIASED, ListNode, MapNode, Node, ScalarNode, build, parse
from provisioner.spec.findings import Findings


def _read(text: str) -> Node:
    findings = Findings()
    (root,) = parse(text.encode(), "f.yaml", findings)
    findings.settle()
    return root


def _value(text: str) -> object:
    root = _read(f"key: {text}\n")
    assert isinstance(root, MapNode)
    node = root.entries["key"]
    assert isinstance(node, ScalarNode)
    return node.value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"),
        (False, "False"),
        (None, "~"),
        (None, ""),
        ("yes", "yes"),
        ("off", "off"),
        ("true", '"true"'),
        ("12", "'12'"),
        ("12", "!!str 12"),
        (12, "12"),
        (-3, "-3"),
        (0, "0"),
        (420, "0o644"),
        (31, "0x1f"),
        (0.5, ".5"),
        (1000.0, "1e3"),
        ("1:30", "1:30"),
        ("2026-01-02", "2026-01-02"),
        ("v1.13.9", "v1.13.9"),
        ("1.13.9", "1.13.9"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        (18446744073709551615, "18446744073709551615"),
    ],
)
def test_scalars_mean_what_the_core_schema_says(value: object, written: str) -> None:
    found = _value(written)
    assert (value, type(value)) == (found, type(found))


@pytest.mark.parametrize("written", ["0644", "-012", "18446744073709551616", "1e999", ".nan", "-.inf"])
def test_numbers_that_readers_of_yaml_take_differently_are_refused(written: str) -> None:
    with pytest.raises(InputError) as caught:
        _value(written)
    assert [problem.code for problem in caught.value.problems()] == ["yaml-number"]


def test_keys_are_text_as_written() -> None:
    root = _read("on: 1\n07: 2\ntrue: 3\n~: 4\n")
    assert isinstance(root, MapNode)
    assert list(root.entries) == ["on", "07", "true", "~"]


def test_every_node_and_key_knows_its_line_and_column() -> None:
    root = _read("a: 1\nbig:\n  - x\n  - {y: z}\n")
    assert isinstance(root, MapNode)
    big = root.entries["big"]
    assert isinstance(big, ListNode)
    assert Place("f.yaml", 2, 1) == root.keys["big"]
    assert [Place("f.yaml", 3, 5), Place("f.yaml", 4, 5)] == [item.place for item in big.items]


def test_a_byte_order_mark_is_skipped() -> None:
    findings = Findings()
    (root,) = parse(b"\xef\xbb\xbfa: 1\n", "f.yaml", findings)
    assert isinstance(root, MapNode)
    assert list(root.entries) == ["a"]


def test_a_merge_fills_in_what_is_not_written() -> None:
    root = _read("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nuse: {<<: [*b, *m], x: 9}\n")
    assert isinstance(root, MapNode)
    use = root.entries["use"]
    assert isinstance(use, MapNode)
    assert {key: node.value for key, node in use.entries.items()} == {"x": 9, "y": 2, "z": 4}  # type: ignore[union-attr]


def test_aliases_share_their_node() -> None:
    root = _read("a: &x {k: 1}\nb: *x\n")
    assert isinstance(root, MapNode)
    assert root.entries["a"] is root.entries["b"]


def test_depth_counts_through_aliases() -> None:
    deep = "[" * 40 + "]" * 40
    findings = Findings()
    parse(f"a: &a {deep}\nb: {'[' * 30}*a{']' * 30}\n".encode(), "f.yaml", findings)
    with pytest.raises(InputError) as caught:
        findings.settle()
    assert [problem.code for problem in caught.value.problems()] == ["yaml-deep"]


def test_what_was_found_before_a_syntax_error_is_reported_with_it() -> None:
    findings = Findings()
    parse(b"a: 1\na: 2\nb: [\n", "f.yaml", findings)
    with pytest.raises(InputError) as caught:
        findings.settle()
    assert [problem.code for problem in caught.value.problems()] == ["yaml-duplicate-key", "yaml-syntax"]


def test_a_problem_is_noted_once() -> None:
    findings = Findings()
    for _ in range(2):
        findings.add("code", "summary", Place("f.yaml", 1, 1))
    with pytest.raises(InputError) as caught:
        findings.settle()
    assert len(caught.value.problems()) == 1


ROOT = Path(__file__).parents[3]
FILES = sorted(path for name in ("examples", "plans", "tests/cases/patch") for path in (ROOT / name).rglob("*.yaml"))
TRICKY = """\
ü: &a {x: "ä\\n", 'y': [1, 2], ? z : ~}
"quoted": !!str 12
empty:
text: |
  one
  two
folded: >-
  one
  two
again: *a
<<: *a
? long
: - - 1
    - b: c
"""


@pytest.mark.parametrize("text", [TRICKY, *(path.read_text() for path in FILES)])
def test_both_parsers_read_the_same_at_the_same_places(text: str) -> None:
    """The parser in C is there for speed only: what it takes, the one in Python reads no differently."""
    fast = build(text, "f.yaml", Findings(), yaml.CSafeLoader)

    assert fast
    assert build(text, "f.yaml", Findings(), yaml.SafeLoader) == fast


def test_a_file_may_be_as_long_as_it_is_written() -> None:
    """The limit is for what aliases make of a few lines, not for what somebody wrote."""
    root = _read("- [" + "1, " * (MAX_ALIASED + 1) + "1]\n")

    assert isinstance(root, ListNode)
    assert isinstance(root.items[0], ListNode)
    assert len(root.items[0].items) == MAX_ALIASED + 2
