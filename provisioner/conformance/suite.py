"""What all suites share: the tests that see to it that no rule is left out in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import pytest

from provisioner.conformance.rules import switched_off

_UNTOUCHABLE = ("test_no_rule_is_switched_off_without_a_reason", "test_what_cannot_be_tried_has_a_reason")


def nothing_to_test(because: str) -> NoReturn:
    """Ends a test of a rule that says nothing about this."""
    try:
        pytest.skip(because)
    except BaseException as skipped:
        skipped.nothing_to_test = True  # type: ignore[attr-defined]
        raise


class Suite:
    """The base of all suites."""

    cannot: ClassVar[Mapping[str, str]] = {}
    """What the remote of the tests has not, such as `quota` or `silence`, and why."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for name in _UNTOUCHABLE:
            if name in vars(cls):
                raise TypeError(f"{name} watches over the rules and cannot be replaced")

    def try_only(self, what: str) -> None:
        """Ends the test where the remote cannot do what it takes."""
        if what in self.cannot:
            nothing_to_test(f"{what}: {self.cannot[what]}")

    def test_no_rule_is_switched_off_without_a_reason(self) -> None:
        """A rule is replaced, skipped or expected to fail only with `@deviates` and a reason."""
        assert list(switched_off(type(self))) == []

    def test_what_cannot_be_tried_has_a_reason(self) -> None:
        """`cannot` says why."""
        assert [what for what, reason in self.cannot.items() if not reason.strip()] == []
