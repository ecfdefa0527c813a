"""Sweeping: what is on no record goes, everything else stays."""

from __future__ import annotations

import pytest
from fakes.trial import INFO, Trial

from provisioner.conformance.toy import Thing, ThingProps
from provisioner.errors import EndpointDown, Fatal, Retry, StateLocked
from provisioner.model.address import Address
from provisioner.model.job import Pending
from provisioner.workflow.sweep import Others, Swept

OTHERS = "01k0bbbbbbbbbbbbbbbbbbbbbb"
WANTED = {"toy.thing/a": {}, "toy.thing/b": {"size": 2}}


def _standing() -> Trial:
    trial = Trial()
    trial.apply(WANTED)
    return trial


def _plant(trial: Trial, name: str, lineage: str) -> Thing:
    """A thing with the mark of a lineage, which nobody has on record."""
    return trial.cloud.plant(Address("toy.thing", name), ThingProps(name), lineage=lineage)


def _names(swept: Swept) -> list[str]:
    return sorted(one.owned.address for one in swept.removed)


def test_where_all_is_on_record_nothing_is_left_over() -> None:
    """What stands is counted and not listed."""
    found = _standing().left_over()

    assert (found.leftovers, found.on_record, found.others) == ((), 2, ())


def test_what_is_on_no_record_is_found_and_removed() -> None:
    """It goes; what is on record stays, and a plan finds nothing to do."""
    trial = _standing()
    _plant(trial, "lost", trial.state().lineage)
    found = trial.left_over()
    swept = trial.sweep()

    assert [one.owned.address for one in found.leftovers] == ["toy.thing/lost"]
    assert _names(swept) == ["toy.thing/lost"]
    assert trial.cloud.names() == ["a", "b"]
    assert trial.plan(WANTED).empty


def test_looking_removes_nothing() -> None:
    trial = _standing()
    _plant(trial, "lost", trial.state().lineage)
    writes = trial.cloud.writes
    trial.left_over()

    assert trial.cloud.writes == writes


@pytest.mark.parametrize("fate", ["half made", "deposed", "failed"])
def test_what_is_on_record_is_never_left_over(fate: str) -> None:
    """Whatever its status: half made, about to be removed, or failed."""
    trial = Trial()
    if fate == "half made":
        trial.cloud.script("create", "a", Pending(phase="booting"), Fatal("no", effect=True))
        trial.apply({"toy.thing/a": {}}, deadline_s=1)
    elif fate == "deposed":
        trial.apply({"toy.disk/a": {"size": 1, "_replace": "create_first"}})
        trial.cloud.script("delete", "a", Fatal("not now", effect=False))
        trial.apply({"toy.disk/a": {"size": 2, "_replace": "create_first"}})
    else:
        trial.cloud.script("create", "a", lambda job: _made_and_failed(trial, job))
        trial.apply({"toy.thing/a": {}})
    there = trial.cloud.names()
    swept = trial.sweep()

    assert there
    assert trial.left_over().leftovers == ()
    assert swept.removed == ()
    assert trial.cloud.names() == there


def _made_and_failed(trial: Trial, job) -> None:  # type: ignore[no-untyped-def]
    trial.cloud.make(job, "a")
    raise Fatal("half way")


def test_what_belongs_to_another_state_is_counted_and_stays() -> None:
    """It has no place in the list, and sweeping does not touch it."""
    trial = _standing()
    _plant(trial, "theirs", OTHERS)
    found, swept = trial.left_over(), trial.sweep()

    assert found.leftovers == ()
    assert found.others == (Others(OTHERS, (), 1),)
    assert swept.removed == ()
    assert "theirs" in trial.cloud.names()


def test_what_nobody_marked_is_not_even_counted() -> None:
    trial = _standing()
    _plant(trial, "by-hand", "")
    found, swept = trial.left_over(), trial.sweep()

    assert (found.leftovers, found.others, swept.removed) == ((), (), ())
    assert "by-hand" in trial.cloud.names()


def test_a_lineage_whose_state_is_lost_is_removed_when_it_is_named() -> None:
    """Only that one; other states keep what is theirs."""
    trial = _standing()
    _plant(trial, "lost", OTHERS)
    _plant(trial, "theirs", "01k0cccccccccccccccccccccc")
    swept = trial.sweep(OTHERS)

    assert _names(swept) == ["toy.thing/lost"]
    assert trial.cloud.names() == ["a", "b", "theirs"]


def test_what_takes_its_time_is_asked_again() -> None:
    """A removal that is pending, or has to wait for another one, is over in the end."""
    trial = _standing()
    lineage = trial.state().lineage
    for name in ("one", "two"):
        _plant(trial, name, lineage)
    trial.cloud.script("delete", "one", Pending(phase="going", after_s=5), Pending(phase="going", after_s=5))
    trial.cloud.script("delete", "two", Retry("something uses it", after_s=3))
    swept = trial.sweep()
    phases = [job.phase for job in trial.cloud.jobs if job.address.name == "one"]

    assert _names(swept) == ["toy.thing/one", "toy.thing/two"]
    assert swept.failed == {}
    assert phases == ["", "going", "going"]


def test_what_cannot_be_removed_is_told_and_the_rest_goes() -> None:
    trial = _standing()
    lineage = trial.state().lineage
    for name in ("one", "two", "three"):
        _plant(trial, name, lineage)
    trial.cloud.script("delete", "one", Fatal("it is protected", effect=False))
    trial.cloud.script("delete", "two", RuntimeError("a fault"))
    swept = trial.sweep()

    assert _names(swept) == ["toy.thing/three"]
    assert {one.owned.address: err.summary for one, err in swept.failed.items()} == {
        "toy.thing/one": "it is protected",
        "toy.thing/two": "a fault inside prov or a provider",
    }


def test_it_ends_when_the_time_is_over() -> None:
    """With the reason it was last given."""
    trial = _standing()
    _plant(trial, "one", trial.state().lineage)
    trial.cloud.script("delete", "one", *(Pending(after_s=10, note="something uses it") for _ in range(99)))
    swept = trial.sweep(deadline_s=60)

    assert swept.removed == ()
    assert [err.detail for err in swept.failed.values()] == ["something uses it"]
    assert trial.seconds < 120


def test_what_is_waited_for_is_told_once() -> None:
    """Nobody looks at a silent command for minutes, nor reads the same reason at every turn."""
    trial = _standing()
    _plant(trial, "one", trial.state().lineage)
    trial.cloud.script("delete", "one", *(Pending(after_s=4, note="something uses it") for _ in range(9)))
    said: list[str] = []
    swept = trial.sweep(tell=said.append)

    assert _names(swept) == ["toy.thing/one"]
    assert [text.partition(" is not gone yet: ")[2] for text in said] == ["something uses it", ""]


def test_a_provider_that_does_not_answer_is_named() -> None:
    """Silence is not emptiness."""
    trial = _standing()
    trial.cloud.read_fault = EndpointDown("no answer")

    assert trial.left_over().unasked == {"toy": "no answer"}


def test_nothing_is_removed_while_another_run_is_at_work() -> None:
    """Its objects may be a moment away from being on record."""
    trial = _standing()
    _plant(trial, "one", trial.state().lineage)
    with trial.memory.lock(INFO), pytest.raises(StateLocked):
        trial.sweep()

    assert "one" in trial.cloud.names()
