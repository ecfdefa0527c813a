"""A rule can be switched off with a reason, and in no other way."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from provisioner.conformance.kind_suite import KindSuite
from provisioner.conformance.rules import RULES, deviates, switched_off

RULE = "test_k5_delete_twice_is_quiet"


def _suite(**members: Any) -> type[Any]:
    return type("Suite", (KindSuite,), members)


def _another(self: Any) -> None: ...


@pytest.mark.parametrize(
    "test",
    [
        _another,
        None,
        deviates("K5", reason=" ")(lambda self: None),
        deviates("K4", reason="there is one")(lambda self: None),
        pytest.mark.skip(reason="no time")(lambda self: None),
    ],
    ids=["replaced", "removed", "no reason", "another rule", "skipped"],
)
def test_a_rule_that_is_replaced_without_a_reason_is_told(test: Any) -> None:
    (complaint,) = switched_off(_suite(**{RULE: test}))

    assert complaint.startswith(RULE)
    assert "@deviates('K5', reason=…)" in complaint


def test_a_rule_may_be_replaced_with_a_reason_also_in_a_base() -> None:
    base = _suite(**{RULE: deviates("K5", reason="the remote keeps all")(lambda self: None)})

    assert list(switched_off(type("Suite", (base,), {}))) == []
    assert list(switched_off(KindSuite)) == []


def test_what_watches_over_the_rules_cannot_be_replaced() -> None:
    with pytest.raises(TypeError):
        _suite(test_no_rule_is_switched_off_without_a_reason=None)


def test_every_test_in_the_table_is_unique_and_named_after_its_rule() -> None:
    named = [(rule.id, name) for rule in RULES for name in rule.tests]

    assert len({name for _, name in named}) == len(named)
    assert [name for id_, name in named if not name.startswith(f"test_{id_.lower()}_")] == []


def test_no_rule_is_skipped_in_silence(tmp_path: Path) -> None:
    """Marks, fixtures and hooks that skip or expect failure make the test fail; what the kit skips stays skipped."""
    (tmp_path / "conftest.py").write_text(
        textwrap.dedent(
            """
            import pytest

            def pytest_collection_modifyitems(items):
                for item in items:
                    if "k1" in item.name:
                        item.add_marker(pytest.mark.skip(reason="by a hook"))
                    if "a6" in item.name:
                        item.add_marker(pytest.mark.xfail(reason="by a hook"))
            """
        )
    )
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(
            """
            import pytest
            from provisioner.conformance.kind_suite import KindSuite, Sample
            from provisioner.conformance.rules import deviates
            from provisioner.conformance.toy import ToyProvider

            class TestIt(KindSuite):
                provider = ToyProvider()
                samples = {}

                @pytest.fixture
                def cloud(self):
                    pytest.skip("by a fixture")

                @deviates("K9", reason="nothing ever goes wrong")
                def test_k9_what_is_gone_is_told(self):
                    pytest.skip("stated")

            class TestGate(KindSuite):
                provider = ToyProvider()
                samples = {"toy.gate/one": Sample({})}

                @pytest.fixture
                def cloud(self):
                    return None
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--import-mode=importlib", "-n0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    ends = dict(reversed(line.split(" - ")[0].split(" ", 1)) for line in done.stdout.splitlines() if "::" in line)
    it = {name.partition("::TestIt::")[2].partition("[")[0]: end for name, end in ends.items()}
    gate = {name.partition("::TestGate::")[2].partition("[")[0]: end for name, end in ends.items()}

    assert it["test_k1_what_is_not_made_is_absent"] == "ERROR"
    assert it["test_k5_delete_twice_is_quiet"] == "ERROR"
    assert gate["test_a6_a_gate_writes_nothing"] == "FAILED"
    assert "test_k9_what_is_gone_is_told" not in it, "skips are listed by line, and this one is no failure"
    assert "test_k5_delete_twice_is_quiet" not in gate
    assert done.stdout.count("this rule was skipped or expected to fail") >= 3


def test_the_plugin_loads_nothing() -> None:
    """Pytest imports it in every session where prov is installed."""
    program = "import sys, pytest; known = set(sys.modules); import provisioner.conformance.plugin\n"
    program += "print(*sorted(set(sys.modules) - known))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["provisioner", "provisioner.conformance", "provisioner.conformance.plugin"]
