"""Problems as they are collected."""

from __future__ import annotations

from provisioner.errors import Place
from provisioner.spec.findings import Findings


def test_the_same_problem_at_the_same_place_is_noted_once() -> None:
    findings = Findings()
    for line in (1, 2, 1):
        findings.add("code", "a problem", Place("f.yaml", line, 1))

    assert len(findings.problems) == 2


def test_names_are_looked_for_among_many_a_few_times_only() -> None:
    """Among few names always; among thousands until the answers would take longer than anybody waits."""
    findings = Findings()
    few, many = ["control-1"], [f"control-{number}" for number in range(2000)]

    told = [findings.near("contrl-1", many) for _ in range(50)]

    assert told[:20] == ["did you mean 'control-1'?"] * 20
    assert told[20:] == [""] * 30
    assert findings.near("contrl-1", few) == "did you mean 'control-1'?"
