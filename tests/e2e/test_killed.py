"""SIGKILL at any moment: the next run finishes, and nothing is lost, doubled or made anew."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest
from fakes.lab import Lab, cluster

from provisioner.model.address import Address
from provisioner.model.value import Value, reveal
from provisioner.state.identity import find_identity
from provisioner.state.sqlite_store import SqliteStore

pytestmark = pytest.mark.slow

SECRETS = Address("talos.secrets", "cluster")
TRIALS = 20
PARTS = 4


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_random_moments_of_the_first_apply(lab: Lab, part: int) -> None:
    """Twenty moments in all, spread over the time an apply takes; afterwards everything is there exactly once."""
    chance = random.Random(part)
    lab.write(cluster(3, 2))
    took = _seconds(lab)
    for trial in range(TRIALS // PARTS):
        moment = took * (trial + chance.random()) / (TRIALS // PARTS)

        run = lab.start("apply", "--yes")
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=moment)
        run.kill()
        run.communicate()
        before = _secrets(lab)
        lab.prov("apply", "--yes")

        lab.assert_settled(3, 2)
        assert before in (None, _secrets(lab)), f"new secrets after a kill at {moment:.2f} s"
        assert lab.json("plan")["empty"]
        lab.prov("destroy", "--yes")
        assert lab.sim()["machines"] == []


@pytest.mark.timeout(900)
def test_killed_while_changing_and_while_destroying(lab: Lab) -> None:
    """The same of an edit that scales, and of a destroy."""
    chance = random.Random(99)
    lab.write(cluster(3, 1))
    lab.prov("apply", "--yes")
    secrets = _secrets(lab)

    for workers in (2, 1, 3, 1):
        lab.write(cluster(3, workers, patches=[{"machine": {"sysctls": {"a.b": str(workers)}}}]))
        _killed_after(lab, 0.4 + chance.random() * 1.2, "apply", "--yes")
        lab.prov("apply", "--yes")
        lab.assert_settled(3, workers)

    assert _secrets(lab) == secrets
    for _ in range(3):
        _killed_after(lab, 0.4 + chance.random() * 0.8, "destroy", "--yes")
    lab.prov("destroy", "--yes")
    world = lab.sim()
    assert (world["machines"], world["balancers"]) == ([], [])


def _killed_after(lab: Lab, seconds: float, *args: str) -> None:
    run = lab.start(*args)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(timeout=seconds)
    with contextlib.suppress(ProcessLookupError):
        os.kill(run.pid, signal.SIGKILL)
    run.communicate()


def _seconds(lab: Lab) -> float:
    """How long an undisturbed apply takes here and now."""
    began = time.monotonic()
    lab.prov("apply", "--yes")
    took = time.monotonic() - began
    lab.prov("destroy", "--yes")
    return took


def _secrets(lab: Lab) -> Value:
    """The recorded secrets, opened; None before they are on record."""

    def identity():  # type: ignore[no-untyped-def]
        return find_identity(lab.environ)

    store = SqliteStore(lab.folder / ".prov/lab.db", "lab", identity)
    if not store.exists:
        return None
    try:
        entry = store.load().entries.get(SECRETS)
    finally:
        store.close()
    return reveal(entry.outputs) if entry is not None and entry.outputs else None
