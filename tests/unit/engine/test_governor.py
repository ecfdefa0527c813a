"""What an endpoint bears, and what it is spared."""

from __future__ import annotations

from math import inf

import pytest

from provisioner.engine.governor import FAILURES_TO_OPEN, OPEN_MAX_S, OPEN_S, Governor
from provisioner.errors import EndpointDown, Fatal, Retry, Throttled
from provisioner.sdk.provider import Limits


def _full(governor: Governor, now: float = 0.0) -> int:
    """How many calls are admitted at once."""
    count = 0
    while governor.admit(now) == 0:
        count += 1
    return count


def _end(governor: Governor, outcome: object, times: int = 1, now: float = 0.0) -> None:
    for _ in range(times):
        governor.ended(now, outcome)


def test_no_more_calls_are_in_flight_than_the_limit() -> None:
    governor = Governor(Limits(in_flight=3))
    assert _full(governor) == 3
    assert governor.admit(0.0) == inf
    governor.ended(0.0, None)
    assert governor.admit(0.0) == 0


def test_calls_begin_no_faster_than_the_rate() -> None:
    """Over ten seconds at two a second, with all the time in the world to answer."""
    governor = Governor(Limits(in_flight=1000, per_second=2.0))
    now, begun = 0.0, 0
    while now < 10.0:
        wait = governor.admit(now)
        begun, now = (begun + 1, now) if wait == 0 else (begun, now + wait)
    assert begun in (20, 21)


def test_throttling_halves_the_window_and_makes_everybody_wait() -> None:
    governor = Governor(Limits(in_flight=8))
    assert _full(governor) == 8
    _end(governor, None, 7)
    governor.ended(0.0, Throttled("slow down", after_s=3.0))
    assert governor.admit(1.0) == pytest.approx(2.0)
    assert _full(governor, 3.0) == 4


def test_the_pause_grows_while_throttling_goes_on() -> None:
    governor = Governor(Limits(in_flight=8))
    pauses = []
    now = 0.0
    for _ in range(4):
        assert governor.admit(now) == 0
        governor.ended(now, Throttled("slow down", after_s=0.1))
        pauses.append(governor.admit(now))
        now += pauses[-1]
    assert pauses == pytest.approx([1.0, 2.0, 4.0, 8.0])


def test_the_window_opens_again_by_one_for_each_full_window_of_answers() -> None:
    governor = Governor(Limits(in_flight=8), in_flight=1)
    governor.ended(0.0, Throttled("slow down"))
    assert int(governor.window) == 4
    for _ in range(5):
        governor.admit(100.0)
        governor.ended(100.0, None)
    assert int(governor.window) == 5
    for _ in range(100):
        governor.admit(100.0)
        governor.ended(100.0, None)
    assert governor.window == 8


def test_an_endpoint_that_wants_rest_has_as_much_as_its_call_took() -> None:
    """So one that grows slow is asked less often by itself, and one that is quick hardly waits."""
    governor = Governor(Limits(in_flight=1, rest=1.0))
    now, begun = 0.0, []
    for took in (0.1, 0.1, 4.0, 4.0, 0.1, 300.0, 0.1):
        while wait := governor.admit(now):
            now += wait
        begun.append(now)
        now += took
        governor.ended(now, None)
    assert begun == pytest.approx([0.0, 0.2, 0.4, 8.4, 16.4, 16.6, 376.6])


def test_an_endpoint_that_asks_for_more_has_more_rest() -> None:
    governor = Governor(Limits(in_flight=1, rest=1.0))
    assert governor.admit(0.0) == 0
    governor.ended(2.0, Throttled("slow down", after_s=10.0))
    assert governor.admit(2.0) == pytest.approx(10.0)


def test_an_endpoint_that_is_down_is_left_alone_and_then_tried_by_one_call() -> None:
    governor = Governor(Limits(in_flight=16))
    assert _full(governor) == 16
    _end(governor, EndpointDown("refused"), 16)
    assert governor.open
    assert governor.admit(0.0) == pytest.approx(OPEN_S)
    assert governor.admit(OPEN_S) == 0
    assert governor.admit(OPEN_S) == inf


def test_the_circuit_stays_open_twice_as_long_each_time_up_to_a_minute() -> None:
    governor = Governor(Limits())
    for _ in range(FAILURES_TO_OPEN):
        governor.admit(0.0)
    _end(governor, EndpointDown("refused"), FAILURES_TO_OPEN)
    now, waits = 0.0, []
    for _ in range(6):
        waits.append(governor.admit(now))
        now += waits[-1]
        assert governor.admit(now) == 0
        governor.ended(now, EndpointDown("refused"))
    assert waits == [OPEN_S, 10.0, 20.0, 40.0, OPEN_MAX_S, OPEN_MAX_S]
    assert governor.down_for(now) == now


@pytest.mark.parametrize("outcome", [None, Retry("busy"), Fatal("no")])
def test_any_answer_closes_the_circuit(outcome: object) -> None:
    """Also a refusal: whoever refuses is there."""
    governor = Governor(Limits(in_flight=16))
    _full(governor)
    _end(governor, EndpointDown("refused"), 16)
    assert governor.admit(OPEN_S) == 0
    governor.ended(OPEN_S, outcome)
    assert not governor.open
    assert governor.down_for(100.0) == 0
    assert _full(governor, OPEN_S) == 16


def test_a_few_failures_among_answers_open_nothing() -> None:
    governor = Governor(Limits())
    for _ in range(20):
        for outcome in (EndpointDown("refused"), None):
            governor.admit(0.0)
            governor.ended(0.0, outcome)
    assert not governor.open
