"""YAML out and in."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.model.value import Secret, reveal
from provisioner.talos.config.encode import ConfigUnreadable, decode, encode

AWKWARD = [
    "off", "Yes", "NO", "y", "null", "~", "", " ", "true", "0x1", "0o17", "017", "1e3", "1_000", "1.5", ".5", "-1",
    "+1", "12:30:45", "2026-11-23", "2026-11-23T12:00:00Z", ".inf", "-.inf", ".nan", "=", "<<", "- a", "a: b", "a:",
    "a #b", "#a", "'a'", '"a"', "*a", "&a", "!a", "%a", "@a", "`a`", "{a}", "[a]", "a\\b", "a\tb", "a ", " a", "---",
    "...", "10.0.0.1", "v1.13.9", "registry.k8s.io/x:v1", "a\nb", "a\nb\n", "a\n\nb\n", "a\nb\n\n", "\na", "a \nb",
    " a\nb", "a\n  b\n", "a\r\nb", "a\n   \nb", "ä", "a\nä\n", "😀", "\u2028", "\x85", "\ufeff", "\x00", "\x7f", "?",
    "? a", "|", ">", "a, b", "1,5", "0b1", "685_230.15", "190:20:30.15", "1 2", "0", "00", "0.", "1e", "e3", "0xg",
]  # fmt: skip

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(AWKWARD)
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _text
_trees = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=12,
)
_documents = st.lists(st.dictionaries(_text, _trees, max_size=4), min_size=1, max_size=3)


@given(_documents)
@settings(max_examples=100, deadline=None)
def test_every_reader_gets_back_what_was_written(documents: list[dict[str, Any]]) -> None:
    text = encode(documents)
    assert documents == list(yaml.safe_load_all(text)), text
    assert documents == [reveal(each) for each in decode(text)], text


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_stay_texts(text: str) -> None:
    documents = [{"a": text, text: [text, [text]]}]
    assert documents == list(yaml.safe_load_all(encode(documents)))
    assert documents == [reveal(each) for each in decode(encode(documents))]


def test_the_layout_is_fixed() -> None:
    documents: list[dict[str, Any]] = [
        {
            "b": {"name": "x", "empty": {}, "none": [], "on": True, "n": 7445, "f": 1e16, "null": None},
            "a": ["plain", "off", {"k": "v", "l": [1]}, ["deep"], "10.0.0.1"],
        },
        {"pem": "-----BEGIN X-----\nabc=\n-----END X-----\n", "list": ["one\ntwo"]},
        {},
    ]
    expected = """\
b:
  name: x
  empty: {}
  none: []
  "on": true
  "n": 7445
  f: 1.0e+16
  "null": null
a:
  - plain
  - "off"
  - k: v
    l:
      - 1
  - - deep
  - 10.0.0.1
---
pem: |
  -----BEGIN X-----
  abc=
  -----END X-----
list:
  - |-
    one
    two
---
{}
"""
    assert expected == encode(documents)


def test_nothing_is_aliased() -> None:
    shared = {"x": [1]}
    assert encode([{"a": shared, "b": shared}]) == "a:\n  x:\n    - 1\nb:\n  x:\n    - 1\n"


def test_numbers_without_digits_are_written_too() -> None:
    text = encode([{"a": math.inf, "b": -math.inf, "c": math.nan}])
    assert text == "a: .inf\nb: -.inf\nc: .nan\n"


def test_a_secret_is_never_written() -> None:
    with pytest.raises(TypeError, match="a Secret cannot be written as YAML"):
        encode([{"a": Secret("planted")}])


def test_reading_follows_the_rules_of_talos() -> None:
    """Against YAML 1.1: bare on and off, times and dates are texts; octals of both kinds are numbers."""
    text = "{a: off, b: yes, c: 12:30, d: 2026-11-23, e: 1e3, f: 0o17, g: 017, h: 0x1F, i: ~, j: true, k: y}"
    expected = {
        "a": "off", "b": "yes", "c": "12:30", "d": "2026-11-23", "e": 1000.0, "f": 15, "g": 15, "h": 31,
        "i": None, "j": True, "k": "y",
    }  # fmt: skip
    assert (expected,) == decode(text)


def test_empty_documents_are_left_out() -> None:
    assert decode("---\n# nothing\n---\na: 1\n---\n") == ({"a": 1},)
    assert decode("") == ()


def test_lists_are_read_as_tuples() -> None:
    assert decode("a: [1, [x], {b: []}]") == ({"a": (1, ("x",), {"b": ()})},)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("a: [planted", "no valid YAML at line 2, column 1"),
        ("a: 1\n b: planted", "no valid YAML at line 2"),
        ("- planted", "a document is not a mapping"),
        ("a: !!binary cGxhbnRlZA==", "a bytes is not a value"),
        ("a: !planted b", "no valid YAML"),
        ("a: \x00planted", "no valid YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_without_showing_it(text: str, detail: str) -> None:
    with pytest.raises(ConfigUnreadable) as caught:
        decode(text)
    assert detail in caught.value.detail
    assert "planted" not in repr(caught.value.problems())
