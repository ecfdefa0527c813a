"""A pytest plugin that lets no rule be skipped in silence.

Pytest loads it by itself wherever prov is installed, so it imports nothing. Being a plugin also makes pytest explain
the asserts of the kit.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

_SAYS = "this rule was skipped or expected to fail: replace its test, and say why with @deviates({rule!r}, reason=…)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """Turns the skipping of a rule into a failure, unless the kit itself found that there is nothing to test."""
    report = yield
    test = getattr(item, "function", None)
    rule = getattr(test, "__rule__", None)
    if rule is None or not (report.outcome == "skipped" or hasattr(report, "wasxfail")):
        return report
    if call.excinfo is None or not getattr(call.excinfo.value, "nothing_to_test", False):
        report.outcome, report.longrepr = "failed", _SAYS.format(rule=rule)
        report.__dict__.pop("wasxfail", None)
    return report
