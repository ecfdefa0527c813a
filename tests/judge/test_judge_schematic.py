"""Canonical YAML of image schematics, before the libraries with which the Image Factory writes it (needs Go)."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from provisioner.talos.images.canonical import NotPlain, canonical

PIECES = (
    *("-", "--", "---", "...", "a", "b", "Z", "0", "1", "12", "0x1f", "1e3", ".5", ":", ": ", " #", "#", " ", "="),
    *(",", "'", '"', "yes", "no", "on", "off", "y", "n", "true", "null", "~", "<<", "_", "/", "\\", "@", "%", "&"),
    *("*", "!", "|", ">", "[", "]", "{", "}", "\n", "\n\n", "  ", "console=ttyS0", "2001-01-01", "key: value", "é"),
    *("\t", "?", "`", "1:20", "+", "inf", "nan", ".inf", "0b1", "0o7", "TRUE", "Null"),
)
"""What readers and writers of YAML stumble over."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The judge, built once."""
    program = tmp_path_factory.mktemp("schematic") / "judge"
    subprocess.run(["go", "build", "-o", program, "."], cwd=Path(__file__).parent / "schematic", check=True)
    return program


def test_what_is_written_here_is_written_there(program: Path) -> None:
    """Either both libraries write the same bytes as we do, or we leave it to the factory.

    Thousands of schematics from awkward texts; most of them can be written, so the test has something to judge.
    """
    chance = random.Random(20261124)
    trees = [_tree(chance) for _ in range(20_000)]
    lines = "\n".join(json.dumps(tree) for tree in trees)
    judged = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()

    written = 0
    for tree, line in zip(trees, judged, strict=True):
        try:
            ours = canonical(tree)
        except NotPlain:
            continue
        written += 1
        assert [ours, ours] == json.loads(line)
    assert written > 10_000


def _tree(chance: random.Random) -> dict[str, Any]:
    """A schematic in canonical order with one awkward text in it, in one of its places."""
    text = "".join(chance.choice(PIECES) for _ in range(chance.choice((1, 1, 2, 2, 3, 4, 6))))
    match chance.randrange(5):
        case 0:
            return {"customization": {"extraKernelArgs": ["noapic", text]}}
        case 1:
            return {"customization": {"meta": [{"key": 10, "value": text}, {"key": 12, "value": "x"}]}}
        case 2:
            return {"customization": {"systemExtensions": {"officialExtensions": [text]}}}
        case 3:
            return {"customization": {"bootloader": text, "secureboot": {"enrollKeys": text}}}
        case _:
            options = {"abc": text, "list": [text, {"k": text, "z": [1, True]}]}
            return {"overlay": {"image": text, "name": text, "options": options}, "customization": {}}
