"""The gauntlet: what a core has to come through, each with a kill at every point.

Each row is a story with a beginning, a deed and an end. The deed is first done undisturbed and its points are
counted; then it is killed at each of them, and done again. The end must be the same however it went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fakes.trial import Fuse, Trial

from provisioner.conformance.toy import ThingProps
from provisioner.errors import Fatal, StateMoved
from provisioner.model.address import Address
from provisioner.model.job import Pending

Fresh = Callable[[], Trial]
A, B, C = "toy.thing/a", "toy.thing/b", "toy.thing/c"


def at_every_point(
    fresh: Fresh,
    begin: Callable[[Trial], None],
    wanted: Mapping[str, Any],
    end: Callable[[Trial], None],
    **case: Any,
) -> None:
    """Kills the apply of `wanted` at each of its points, once; applies again; and looks at the end."""
    undisturbed = fresh()
    begin(undisturbed)
    points = undisturbed.points(wanted, **case)
    end(undisturbed)
    assert points > 4
    for point in range(points):
        trial = fresh()
        begin(trial)
        assert trial.killed(point, wanted, **case), f"point {point} of {points}"
        trial.apply(wanted, **case)
        trial.assert_nothing_is_lost()
        assert trial.plan(wanted, **case).empty, f"killed at point {point} of {points}"
        end(trial)


def nothing(trial: Trial) -> None:
    """Begins with nothing."""


def test_making_things_that_need_each_other(fresh: Fresh) -> None:
    wanted = {A: None, B: {"parts": {"at": f"${{{A}.address}}"}}, "toy.gate/up": {"watches": {"b": f"${{{B}.id}}"}}}

    def end(trial: Trial) -> None:
        assert trial.cloud.names() == ["a", "b"]

    at_every_point(fresh, nothing, wanted, end)


def test_the_file_edited_while_a_create_is_in_flight(fresh: Fresh) -> None:
    """The stored values are finished first, then the edit is applied; in place where it can be, else anew."""
    for edited in ({A: {"size": 3}}, {A: {"name": "other"}}, {B: None}):
        undisturbed = fresh()
        points = undisturbed.points({A: {"size": 2}})
        for point in range(points):
            trial = fresh()
            trial.killed(point, {A: {"size": 2}})
            trial.apply(edited)
            trial.assert_nothing_is_lost()
            assert trial.plan(edited).empty


def test_scaling_down_with_a_dead_member(fresh: Fresh) -> None:
    """It is removed in the manner that fits a member that does not answer."""
    everybody = {f"toy.vault/{name}": {"name": name} for name in "abc"}
    rest = {address: props for address, props in everybody.items() if address != "toy.vault/c"}

    def begin(trial: Trial) -> None:
        trial.apply(everybody)
        trial.cloud.unreachable.add("c")

    def end(trial: Trial) -> None:
        assert trial.cloud.names() == ["a", "b"]
        assert {job.how for job in trial.cloud.jobs if job.address.name == "c" and job.how} == {"force"}

    at_every_point(fresh, begin, rest, end)


def test_tearing_everything_down_with_a_dead_member(fresh: Fresh) -> None:
    everybody = {f"toy.vault/{name}": {"name": name} for name in "abc"}

    def begin(trial: Trial) -> None:
        trial.apply(everybody)
        trial.cloud.unreachable.add("c")

    def end(trial: Trial) -> None:
        assert trial.cloud.names() == []
        assert trial.state().entries == {}

    at_every_point(fresh, begin, {}, end, options={"destroy": True})


@pytest.mark.parametrize("seed", range(3))
def test_a_second_kill_while_the_first_is_made_good(fresh: Fresh, seed: int) -> None:
    wanted = {A: None, B: {"_after": [A]}, C: {"name": "c2", "_after": [B]}}
    points = fresh().points(wanted)
    for point in range(points):
        trial = fresh()
        trial.chance.seed(seed)
        trial.killed(point, wanted)
        trial.killed(trial.chance.randrange(points), wanted)
        trial.apply(wanted)
        trial.assert_nothing_is_lost()
        assert trial.cloud.names() == ["a", "b", "c"]


# a gated rolling update that fails in the middle

MEMBERS = ("a", "b", "c", "d")
ROLLOUT = {
    "members": [f"toy.thing/{name}" for name in MEMBERS],
    "max_unavailable": 1,
    "name": "things",
    "before": {"all": "well"},
    "after_each": {"all": "well"},
}


def things(size: int) -> dict[str, Any]:
    return {f"toy.thing/{name}": {"size": size} for name in MEMBERS}


def sizes(trial: Trial) -> dict[str, int]:
    return {thing.address.name: thing.props.size for thing in trial.cloud.things.values()}


def with_four(trial: Trial) -> None:
    trial.apply(things(1))


def b_fails_once(trial: Trial) -> None:
    with_four(trial)
    trial.cloud.script("update", "b", Fatal("no"))


def test_a_rolling_update_takes_one_after_the_other_with_its_gate_between(fresh: Fresh) -> None:
    trial = fresh()
    with_four(trial)
    trial.cloud.calls.clear()

    trial.apply(things(2), rollouts=[ROLLOUT])

    gate = ("check", "things")
    assert trial.cloud.calls == [gate, *(call for name in MEMBERS for call in (("update", name), gate))]


def test_a_rolling_update_that_fails_in_the_middle_stops_there(fresh: Fresh) -> None:
    """Wherever it is killed besides: nobody behind the one that failed has been touched by then."""
    undisturbed = fresh()
    b_fails_once(undisturbed)
    fuse = Fuse()
    done = undisturbed.apply(things(2), rollouts=[ROLLOUT], fuse=fuse)
    assert done.result is not None
    assert (done.result.failed, done.result.left) == (1, 0)
    assert sizes(undisturbed) == {"a": 2, "b": 1, "c": 1, "d": 1}

    for point in range(fuse.passed):
        trial = fresh()
        b_fails_once(trial)
        trial.killed(point, things(2), rollouts=[ROLLOUT])
        assert (sizes(trial)["c"], sizes(trial)["d"]) == (1, 1)
        trial.apply(things(2), rollouts=[ROLLOUT])
        trial.apply(things(2), rollouts=[ROLLOUT])
        assert set(sizes(trial).values()) == {2}
        trial.assert_nothing_is_lost()


def test_a_gate_that_does_not_hold_after_a_member_stops_the_rollout(fresh: Fresh) -> None:
    trial = fresh()
    with_four(trial)

    def shut_it(job: Any) -> None:
        trial.cloud.shut.add("things")

    trial.cloud.script("update", "b", shut_it)
    trial.apply(things(2), rollouts=[ROLLOUT], deadline_s=60.0)

    assert sizes(trial) == {"a": 2, "b": 2, "c": 1, "d": 1}
    trial.cloud.shut.clear()
    trial.apply(things(2), rollouts=[ROLLOUT])
    assert set(sizes(trial).values()) == {2}


def test_a_rollout_that_rolls_back_leaves_what_was_there(fresh: Fresh) -> None:
    """Also when it is killed on its way back: the old values are in flight, and settling finishes them."""
    back = {**ROLLOUT, "on_failure": "rollback"}
    undisturbed = fresh()
    with_four(undisturbed)
    undisturbed.cloud.script("update", "c", Fatal("no"))
    fuse = Fuse()
    undisturbed.apply(things(2), rollouts=[back], fuse=fuse)
    assert sizes(undisturbed) == dict.fromkeys(MEMBERS, 1)
    assert undisturbed.cloud.called("update") == ["a", "b", "c", "c", "b", "a"]
    assert not undisturbed.plan(things(2), rollouts=[back]).empty

    for point in range(fuse.passed):
        trial = fresh()
        with_four(trial)
        trial.cloud.script("update", "c", Fatal("no"))
        trial.killed(point, things(2), rollouts=[back])
        trial.apply(things(1))
        assert sizes(trial) == dict.fromkeys(MEMBERS, 1)
        trial.assert_nothing_is_lost()


def test_a_failure_within_the_budget_holds_nobody_up(fresh: Fresh) -> None:
    trial = fresh()
    b_fails_once(trial)
    trial.apply(things(2), rollouts=[{**ROLLOUT, "failure_budget": 1}])
    assert sizes(trial) == {"a": 2, "b": 1, "c": 2, "d": 2}


# an upgrade of two hops

SERVER = "toy.server/s"


def server_at(version: int) -> dict[str, Any]:
    return {SERVER: {"version": version}}


def test_an_upgrade_of_two_hops(fresh: Fresh) -> None:
    """One release after the other, and what follows an update is owed until it is done, whatever happens."""

    def begin(trial: Trial) -> None:
        trial.apply(server_at(1))

    def end(trial: Trial) -> None:
        server = trial.cloud.find("s")
        assert server.props.version == 3
        assert not server.cordoned

    at_every_point(fresh, begin, server_at(3), end)


def test_an_upgrade_that_is_called_off_is_still_put_in_order(fresh: Fresh) -> None:
    """Killed anywhere, and then the file says the old release, or what was reached: nothing stays cordoned."""
    undisturbed = fresh()
    undisturbed.apply(server_at(1))
    points = undisturbed.points(server_at(2))
    for point in range(points):
        trial = fresh()
        trial.apply(server_at(1))
        trial.killed(point, server_at(2))
        (entry,) = trial.state().entries.values()
        in_flight = entry.intended.get("version")  # is settled first; a server does not go back
        trial.apply(server_at(in_flight or trial.cloud.find("s").props.version))
        assert not trial.cloud.find("s").cordoned, f"killed at point {point}"
        trial.assert_nothing_is_lost()


# replacement under a unique remote name


def disk(size: int) -> dict[str, Any]:
    return {
        "toy.disk/d": {"size": size, "_replace": "create_first"},
        "toy.thing/user": {"parts": {"disk": "${toy.disk/d.name}"}},
    }


def test_a_replacement_that_comes_first_under_a_name_of_its_own(fresh: Fresh) -> None:
    """The user of the old one goes over to the new one before the old one goes."""

    def begin(trial: Trial) -> None:
        trial.apply(disk(1))
        trial.cloud.calls.clear()

    def end(trial: Trial) -> None:
        assert trial.cloud.remotes() == ["d-g2", "user"]
        assert trial.cloud.find("user").props.parts == {"disk": "d-g2"}

    undisturbed = fresh()
    begin(undisturbed)
    undisturbed.apply(disk(2))
    assert undisturbed.cloud.calls == [("create", "d"), ("update", "user"), ("delete", "d")]
    at_every_point(fresh, begin, disk(2), end)


def test_a_replacement_that_cannot_be_made_leaves_the_old_one_in_use(fresh: Fresh) -> None:
    trial = fresh()
    trial.apply(disk(1))
    trial.cloud.script("create", "d", Fatal("no room", effect=False))
    trial.apply(disk(2))
    assert trial.cloud.remotes() == ["d", "user"]
    trial.assert_nothing_is_lost()

    trial.apply(disk(2))
    assert trial.cloud.remotes() == ["d-g2", "user"]
    trial.assert_nothing_is_lost()


# a provider configured from a resource


def configured(place: str) -> tuple[dict[str, Any], dict[str, Any]]:
    wanted = {A: {"name": place}, "toy.thing/inner": {"_provider": "second"}}
    return wanted, {"providers": {"second": {"place": f"${{{A}.id}}"}}}


def test_a_provider_configured_from_a_resource(fresh: Fresh) -> None:
    """What it serves is made after what configures it, and removed before."""
    wanted, case = configured("first")

    def end(trial: Trial) -> None:
        assert trial.cloud.names() == ["a", "inner"]
        assert "toy-1" in trial.cloud.places

    at_every_point(fresh, nothing, wanted, end, **case)

    def begin(trial: Trial) -> None:
        trial.apply(wanted, **case)
        trial.cloud.calls.clear()

    def gone(trial: Trial) -> None:
        assert trial.cloud.names() == []
        assert trial.cloud.called("delete")[-1] == "a"

    at_every_point(fresh, begin, wanted, gone, **case, options={"destroy": True})


# a move, and the reuse of the old address


def test_a_move_and_the_reuse_of_its_old_address(fresh: Fresh) -> None:
    """What stands gets the new address and stays; the old address gets something of its own."""
    wanted = {B: {"name": "a"}, A: {"name": "another"}, C: {"parts": {"at": f"${{{B}.id}}"}}}

    def begin(trial: Trial) -> None:
        trial.apply({A: None, C: {"parts": {"at": f"${{{A}.id}}"}}})

    def end(trial: Trial) -> None:
        state = trial.state()
        ids = {str(entry.address): entry.id for entry in state.entries.values()}
        assert ids[B] == "toy-1"
        assert ids[A] not in ("toy-1", "toy-2")
        assert trial.cloud.called("create").count("c") == 1

    case = {"moved": [(A, B)]}
    undisturbed = fresh()
    begin(undisturbed)
    points = undisturbed.points(wanted, **case)
    end(undisturbed)
    for point in range(points):
        trial = fresh()
        begin(trial)
        trial.killed(point, wanted, **case)
        trial.apply(wanted, **case)
        end(trial)
        there = {entry.key for entry in trial.state().entries.values()}
        assert there == trial.cloud.things.keys()
        assert trial.plan(wanted, **case).empty


# a thousand pending objects


def test_a_thousand_pending_objects_take_one_list_call_a_tick(fresh: Fresh) -> None:
    """Each waits for a minute; in every tick one call reads all of them, and none holds a thread."""
    trial = Trial()
    names = [f"n{index}" for index in range(1000)]
    for name in names:
        trial.cloud.script("create", name, *[Pending(phase="booting", after_s=10.0)] * 6)
    trial.apply({f"toy.thing/{name}": None for name in names}, providers={"toy": {"in_flight": 1000}})

    polls = [read for read in trial.cloud.reads if len(read) > 1]
    assert {len(read) for read in polls} == {1000}
    assert len(polls) == 6
    assert sum(map(len, trial.cloud.reads)) == 6000


# an attached task


def test_an_attached_task_of_a_minute_killed_half_way(fresh: Fresh) -> None:
    """The upload goes with the process; the next run finds what is there, and sends at most once more."""
    wanted = {"toy.upload/u": {"name": "u", "content": "image"}, A: {"_after": ["toy.upload/u"]}}

    sent: list[str] = []

    def begin(trial: Trial) -> None:
        sent.clear()
        trial.cloud.sending = lambda job: sent.append(job.key)

    def end(trial: Trial) -> None:
        assert trial.cloud.names() == ["a", "u"]
        assert len(sent) in (1, 2)
        assert len(set(sent)) == 1, "the second attempt has the key of the first"

    at_every_point(fresh, begin, wanted, end)


# two writers


def test_two_writers_and_a_stale_fence(fresh: Fresh) -> None:
    """A run whose lock was taken over ends at its next commit, whenever that happens, and nothing is doubled."""
    wanted = {A: None, B: {"_after": [A]}, C: {"_after": [B]}}
    points = fresh().points(wanted)
    stale = 0
    for point in range(points):
        trial = Trial()
        fuse = Takeover(point, trial, wanted)

        try:
            trial.apply(wanted, fuse=fuse)
        except StateMoved:
            stale += 1

        assert fuse.calls_after is not None, "the takeover has happened"
        assert len(trial.cloud.calls) - fuse.calls_after <= 1, "a stale writer lands the one call in flight"
        trial.apply(wanted)
        trial.assert_nothing_is_lost()
        assert trial.cloud.names() == ["a", "b", "c"]
    assert stale == points - 1, "all but the one taken over behind its last commit"


class Takeover(Fuse):
    """At one point somebody unlocks the state and applies the same file to the end."""

    def __init__(self, at: int, trial: Trial, wanted: Mapping[str, Any]) -> None:
        super().__init__(None)
        self._moment, self._trial, self._wanted = at, trial, wanted
        self.calls_after: int | None = None

    def point(self) -> None:
        self.passed += 1
        if self.passed - 1 == self._moment:
            self._trial.memory.lapse()
            self._trial.apply(self._wanted)
            self.calls_after = len(self._trial.cloud.calls)


# beyond the rows of the house: taking over, look-ups


def test_taking_over_what_somebody_else_made(fresh: Fresh) -> None:
    """It is marked as ours and changed to what the file says, and nothing is made."""
    wanted = {A: {"size": 3, "_adopts": "toy-1"}, B: {"parts": {"a": f"${{{A}.id}}"}}}

    def begin(trial: Trial) -> None:
        trial.cloud.plant(Address.parse(A), ThingProps("a", size=2))

    def end(trial: Trial) -> None:
        taken = trial.cloud.find("a")
        assert (taken.id, taken.props.size) == ("toy-1", 3)
        assert trial.cloud.names() == ["a", "b"]

    at_every_point(fresh, begin, wanted, end)


def test_what_is_looked_up_on_the_way(fresh: Fresh) -> None:
    """A name that is only known once something is made; the answer is asked for again after a kill."""
    image = "toy.image/i"
    wanted = {A: None, image: {"name": f"${{{A}.id}}"}, B: {"parts": {"image": f"${{{image}.digest}}"}}}

    def begin(trial: Trial) -> None:
        trial.cloud.images["toy-1"] = "d1"

    def end(trial: Trial) -> None:
        assert trial.cloud.find("b").props.parts == {"image": "d1"}
        assert image not in map(str, trial.state().entries)

    at_every_point(fresh, begin, wanted, end)
