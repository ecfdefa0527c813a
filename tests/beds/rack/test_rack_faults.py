"""Faults of racks, and what prov says of each, read by a judge who knows nothing of how it came to that."""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from beds.rack.faults import FAULTS, UNLISTED, Fault
from beds.rack.injection import suffer
from beds.rack.rack import PASSWORD
from beds.rack.scorer import WORDS, named, right

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/reference/bare-metal-faults.md"
SAID = ROOT / "tests/golden/rack/said.json"
"""What is said of each fault; the page is made of it."""
ENOUGH = 27
QUICK = (
    "BMC unreachable",
    "wrong password",
    "session table full",
    "certificate wrong",
    "reset ignored",
    "media refused",
    "URL refused",
    "duplicate UUID",
    "Talos left over",
    "secure boot refuses the image",
)
"""Those that are tried with every change; `make test-crash` tries all."""


_PLACES = re.compile(r"127\.\d+\.\d+\.\d+(:\d+)?|\b\d+\.\d s\b")


def _marked(fault: Fault) -> Any:
    return pytest.param(fault, id=fault.name, marks=() if fault.name in QUICK else (pytest.mark.crash,))


@pytest.mark.parametrize("fault", [*map(_marked, FAULTS)])
def test_the_cause_of_a_fault_is_named(fault: Fault, tmp_path: Path, age_key: Path) -> None:
    """And with it what to do next, of each host that has it; no password and no token stands on the screen."""
    ran, _ = suffer(fault, tmp_path, age_key)
    failures = [failure for failure in ran.failures if not failure.detail.startswith("it needs")]
    first = min(failures, key=lambda failure: failure.address)
    _keep(fault.name, first.detail, first.remedy)

    assert not ran.complete
    for failure in failures:
        assert right(fault.name, failure.detail), f"{named(failure.detail)}:\n{ran.text}"
        assert failure.remedy
    assert PASSWORD not in ran.text
    assert re.search(r"/[0-9a-f]{32}", ran.text) is None


@pytest.mark.crash
@pytest.mark.parametrize("fault", UNLISTED, ids=lambda fault: fault.name)
def test_what_nobody_has_a_rule_for_is_not_guessed_at(fault: Fault, tmp_path: Path, age_key: Path) -> None:
    """What was seen is told all the same."""
    ran, _ = suffer(fault, tmp_path, age_key)
    (failure,) = ran.failures

    assert "the cause is not known" in failure.detail
    assert "seen: " in failure.detail
    assert named(failure.detail) == set()


def test_a_rack_that_is_well_is_blamed_for_nothing(tmp_path: Path, age_key: Path) -> None:
    """Nothing fails, and nothing is said to be likely."""
    ran, _ = suffer(Fault("none"), tmp_path, age_key)

    assert ran.complete, ran.text
    assert "likely" not in ran.text


def test_the_list_is_whole() -> None:
    """Each has words of its own; four may be wrong before this is no longer true."""
    said = json.loads(SAID.read_text())
    assert [fault.name for fault in FAULTS] == [*WORDS]
    assert len(FAULTS) == 31
    assert sum(right(name, said[name][0]) for name in WORDS) >= ENOUGH


def test_the_judge_knows_nothing_of_the_diagnosis() -> None:
    """Neither the judge nor the faults import it."""
    for name in ("scorer.py", "faults.py", "trouble.py", "server.py", "talos_says.py"):
        tree = ast.parse((Path(__file__).parent / name).read_text())
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert [module for module in modules if module.startswith("prov_metal")] == []


def test_the_page_tells_what_is_said() -> None:
    """The reference is made of what prov said; PROV_GOLDEN=write makes it anew."""
    if os.environ.get("PROV_GOLDEN") == "write":
        PAGE.write_text(page())
    assert page() == PAGE.read_text()


def page() -> str:
    """The reference page with what is said now in its table, and how much of it is right in its prose."""
    said = json.loads(SAID.read_text())
    rows = [f"| {name} | {_cell(_cause(said[name][0]))} | {_cell(said[name][1])} |\n" for name in WORDS]
    count = sum(right(name, said[name][0]) for name in WORDS)
    before, rule, after = PAGE.read_text().partition("| --- | --- | --- |\n")
    before = re.sub(r"(?m)^Of \d+ .*$", f"Of {len(WORDS)} the right cause is named for {count}.", before)
    return before + rule + "".join(rows) + after[re.match(r"(\|.*\n)*", after).end() :]  # type: ignore[union-attr]


def _keep(name: str, detail: str, remedy: str) -> None:
    if os.environ.get("PROV_GOLDEN") == "write":
        SAID.parent.mkdir(parents=True, exist_ok=True)
        said = json.loads(SAID.read_text()) if SAID.exists() else {}
        said[name] = [_PLACES.sub("…", text) for text in (detail, remedy)]
        ordered = {known: said[known] for known in WORDS if known in said}
        SAID.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n")


def _cause(detail: str) -> str:
    likely = re.search(r"likely: (.*)", detail)
    return likely[1] if likely else detail.splitlines()[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
