"""What a file says to a provider becomes the class that describes it."""

from __future__ import annotations

import pytest
from attrs import frozen

from provisioner.model.value import Origin, Sourced
from provisioner.sdk import ProvError, written


@frozen
class Options:
    """What a pool may say."""

    cpus: int = 2
    racks: tuple[str, ...] = ()


def _wrong(detail: str) -> ProvError:
    return ProvError("an option is wrong", detail=detail, remedy="correct it")


def test_what_is_said_has_its_defaults_and_no_origins() -> None:
    given = {"racks": (Sourced("a", Origin("cluster.yaml", 3)),)}

    assert written(Options, given, _wrong) == Options(2, ("a",))


@pytest.mark.parametrize(("given", "detail"), [({"cpus": "many"}, "cpus "), ({"cpu": 4}, "cpu ")])
def test_what_does_not_fit_is_told_in_an_error_of_the_providers(given: dict[str, object], detail: str) -> None:
    """The field comes first, so that a place can be put before it."""
    with pytest.raises(ProvError, match="an option is wrong") as caught:
        written(Options, given, _wrong)  # type: ignore[arg-type]
    assert caught.value.detail.startswith(detail)
