"""Patches, merged by Talos's own configuration library of each minor release and by us.

The cases are those below `tests/cases/patch`; what they may say of releases is in the README there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.talos.config.encode import decode

CASES = Path(__file__).parents[1] / "cases" / "patch"
MINORS = ("1.11", "1.12", "1.13", "1.14")

Judge = Callable[..., dict[str, Any]]


def _merges() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text()):
            since = MINORS.index(case.get("since", MINORS[0]))
            for minor in MINORS[since:]:
                yield pytest.param(minor, case, id=f"{minor} {file.stem}: {case['name']}")


@pytest.mark.parametrize(("minor", "case"), list(_merges()))
def test_patches_merge_alike(judge: Judge, minor: str, case: Mapping[str, Any]) -> None:
    """The library merges the same patch into the same base with the same result, or refuses it as we do.

    Where the case says that we are unlike it, we are: a difference that is gone is taken off the list.
    """
    explained = [reason for minors, reason in case.get("unlike", {}).items() if minor in str(minors).split()]

    assert _alike(judge, case) is not bool(explained)


def _alike(judge: Judge, case: Mapping[str, Any]) -> bool:
    theirs = judge("merge", base=case["base"], patch=case["patch"])
    if "error" in case:
        return bool(theirs.get("error"))
    ours = judge("encode", config=case["expected"])
    if theirs.get("error") or ours.get("error"):
        return False
    # Where a document was deleted the library leaves an empty one behind.
    return [each for each in decode(theirs["config"]) if each] == [each for each in decode(ours["config"]) if each]
