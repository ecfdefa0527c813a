"""Serving alone: what is half made is served, whoever makes it, and who asked is told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from fakes.trial import Fuse, Trial

from provisioner.errors import ProvError
from provisioner.model.fetch import Fetch
from provisioner.model.job import Pending
from provisioner.workflow.serve import Serving

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _half_made(*names: str) -> tuple[Trial, Serving]:
    """A run that was cut off at the creation of these, and served by another process."""
    trial = Trial()
    trial.apply({"toy.thing/done": {}})
    for name in names:
        trial.cloud.script("create", name, *[Pending(phase="booting", after_s=100.0)] * 9)
    trial.apply({"toy.thing/done": {}, **{f"toy.thing/{name}": {} for name in names}}, deadline_s=1.0)
    project, _ = trial._project(trial.wanted, {}, Fuse())
    return trial, Serving(project)


def test_what_is_being_made_is_served_and_what_stands_is_not() -> None:
    """And what keeps something from being served is told."""
    trial, serving = _half_made("a", "slow")

    assert serving.round().objects == {"toy.thing/a": "", "toy.thing/slow": "waits for its image"}
    assert trial.cloud.serving == ["a", "slow"]


def test_what_is_made_in_the_end_is_served_no_longer() -> None:
    """Another process makes it; a look at the state shows that."""
    trial, serving = _half_made("a")
    serving.round()
    trial.apply(trial.wanted, deadline_s=1000.0)

    assert serving.round().objects == {}
    assert trial.cloud.serving == []


def test_each_request_is_told_once_in_its_order() -> None:
    trial, serving = _half_made("a")
    later, first = (Fetch(n, NOW + timedelta(seconds=9 - n), "a", "config", 200, "10.0.0.1") for n in (1, 2))
    trial.cloud.fetches += [later, first]

    assert serving.round().fetches == (first, later)
    assert serving.round().fetches == ()
    trial.cloud.fetches.append(third := Fetch(3, NOW, "a", "config", 410, "10.0.0.1"))
    assert serving.round().fetches == (third,)


def test_serving_writes_nothing() -> None:
    """Neither to the state nor to the remote; and no lock is needed."""
    trial, serving = _half_made("a")
    serial, writes = trial.state().serial, trial.cloud.writes
    for _ in range(3):
        serving.round()

    assert (serial, writes) == (trial.state().serial, trial.cloud.writes)


def test_a_file_without_anything_to_serve_is_told() -> None:
    trial = Trial()
    project, _ = trial._project({}, {}, Fuse())
    project.graph = lambda state: SimpleNamespace(providers={})
    with pytest.raises(ProvError, match="there is nothing to serve"):
        Serving(project).round()
