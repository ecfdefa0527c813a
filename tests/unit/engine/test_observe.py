"""Reading what is on record: in batches, and never mistaking silence for absence."""

from __future__ import annotations

from attrs import evolve
from fakes.bench import Bench

from provisioner.engine.patience import ATTEMPTS
from provisioner.errors import EndpointDown, OperatorNeeded, Retry, Throttled
from provisioner.model.address import Address
from provisioner.model.plan import ProviderUse
from provisioner.model.resource import Absent, Seen, Unreachable
from provisioner.model.state import Status
from provisioner.model.value import Ref

A, B, C = (f"toy.thing/{name}" for name in "abc")


def _at(text: str) -> Address:
    return Address.parse(text)


def test_one_read_for_all_of_a_kind(bench: Bench) -> None:
    bench.apply({A: None, B: None, C: None, "toy.vault/v": None, "toy.gate/up": None})
    bench.cloud.reads.clear()
    found = bench.observe()
    assert sorted(bench.cloud.reads) == [("a", "b", "c"), ("v",)]
    assert set(found) == {_at(A), _at(B), _at(C), _at("toy.vault/v")}
    assert all(isinstance(reading, Seen) for reading in found.values())


def test_what_is_gone_is_absent_and_what_does_not_answer_is_unreachable(bench: Bench) -> None:
    bench.apply({A: None, B: None})
    bench.cloud.lose("a")
    bench.cloud.unreachable.add("b")
    assert bench.observe() == {_at(A): Absent(), _at(B): Unreachable("no route")}


def test_a_provider_that_cannot_answer_makes_all_of_it_unreachable(bench: Bench) -> None:
    bench.apply({A: None, B: None})
    for error, reason in (
        (Retry("busy"), "busy"),
        (OperatorNeeded("no credentials", detail="variable X is empty"), "no credentials: variable X is empty"),
    ):
        bench.cloud.read_fault = error
        assert bench.observe() == {_at(A): Unreachable(reason), _at(B): Unreachable(reason)}


def test_a_read_that_is_told_to_come_back_comes_back(bench: Bench) -> None:
    """At first soon, then at the pace that was asked for; other errors are final at once."""
    bench.apply({A: None})
    throttled = (Throttled("too many calls", after_s=2), Throttled("too many calls", after_s=2))
    bench.cloud.script("read", "", *throttled, Retry("busy", after_s=0.1))
    found = bench.observe()
    waited = [*bench.waits]
    bench.cloud.script("read", "", EndpointDown("no answer"))

    assert isinstance(found[_at(A)], Seen)
    assert waited == [0.25, 0.5, 0.1]
    assert bench.observe() == {_at(A): Unreachable("no answer")}
    assert bench.waits == waited


def test_patience_has_an_end(bench: Bench) -> None:
    bench.apply({A: None})
    bench.cloud.read_fault = Throttled("too many calls", after_s=2)
    reads = len(bench.cloud.reads)

    assert bench.observe() == {_at(A): Unreachable("too many calls")}
    assert len(bench.cloud.reads) - reads == ATTEMPTS
    assert bench.waits == [0.25, 0.5, 1, 2, 2, 2, 2]


def test_a_provider_that_leaves_one_out_has_not_said_that_it_is_gone(bench: Bench) -> None:
    bench.apply({A: None})
    bench.cloud.silent.add("a")
    assert bench.observe() == {_at(A): Unreachable("the provider gave no answer for it")}


def test_an_instance_that_left_the_file_is_unreachable_with_the_reason(bench: Bench) -> None:
    bench.apply({A: None})
    bench.providers = {}
    (reading,) = bench.observe().values()
    assert isinstance(reading, Unreachable)
    assert "'toy' is not under `providers:`" in reading.reason


def test_what_is_half_made_is_not_read_and_what_was_to_be_removed_is(bench: Bench) -> None:
    bench.apply({A: None, B: None, C: None})
    bench.record(
        evolve(bench.entry(A), status=Status.CREATING),
        evolve(bench.entry(B), status=Status.DELETING),
        evolve(bench.entry(C), status=Status.FAILED),
    )
    assert bench.observe().keys() == {_at(B)}


def test_an_instance_that_hangs_on_a_resource_is_read_after_it_and_without_what_is_gone(bench: Bench) -> None:
    bench.providers["inner"] = ProviderUse("inner", "toy", {"place": Ref(_at(A), "address")})
    bench.apply({A: None, B: {"_provider": "inner", "_after": [A]}})
    assert bench.cloud.places[-1] == "10.0.0.1"
    bench.cloud.reads.clear()
    bench.observe()
    assert bench.cloud.reads == [("a",), ("b",)]
    bench.cloud.lose("a")
    bench.observe()
    assert bench.cloud.places[-1] == "here"
