"""The rules that stores keep, as tests to inherit.

class TestAcmeStore(StoreSuite):
    @pytest.fixture
    def store_factory(self, tmp_path): return lambda name: AcmeStore(tmp_path / name)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import pytest
from attrs import evolve

from provisioner.conformance.rules import holds
from provisioner.conformance.suite import Suite
from provisioner.errors import StateLocked, StateMoved
from provisioner.model.address import Address
from provisioner.model.state import (
    Bind,
    Change,
    Drop,
    Entry,
    Fence,
    LockInfo,
    Move,
    Note,
    Publish,
    Put,
    Records,
    RunRecord,
    Status,
)
from provisioner.model.value import Sealed, Secret, Value, leaves
from provisioner.sdk.state_store import StateStore

Factory = Callable[[str], StateStore]

LIVES = 40
A, B, C = (Address("toy.thing", name) for name in "abc")
ADA = LockInfo("ada", "desk", 4711, "2026-11-23T12:00:00+00:00", "apply")
EVE = evolve(ADA, who="eve", doing="destroy")
FULL = Entry(
    address=A,
    generation=2,
    provider="toy",
    key="key-of-a",
    status=Status.UPDATING,
    id="toy-1",
    phase="booting",
    memo={"task": "7"},
    intended={"size": 2, "token": Secret("hunter2"), "parts": ({"a": (1, None, True)},), "$odd": {"$secret": "no"}},
    applied={"size": 1, "token": Secret("older")},
    outputs={"id": "toy-1", "password": Secret(7)},
    depends_on=(B, C),
    protect=True,
    how="leave",
    owed=("drain", "uncordon"),
    silent="2026-11-23T11:00:00+00:00",
    error="no room",
)
RUN = RunRecord("r1", "apply", "ada", "desk", "2026-11-23T12:00:00+00:00")


def entry(address: Address = A, generation: int = 1, **fields: Any) -> Entry:
    """A plain entry on record."""
    made = Entry(address, generation, "toy", f"key-of-{address.name}-{generation}", Status.READY)
    return evolve(made, **fields)


class StoreSuite(Suite):
    """S1 to S7."""

    @pytest.fixture
    def store_factory(self) -> Factory:
        """A call gives a handle of the state of that name.

        Two calls with one name give what two processes would have: handles of one state, which is there after the
        first lock at the latest.
        """
        raise NotImplementedError("give the suite a fixture `store_factory`: a function from a name to a store")

    # S1: what is written is what is read

    @holds
    def test_s1_an_entry_comes_back_as_it_was(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            serial = store.commit([Put(FULL)], fence)

        assert {A: evolve(FULL, serial=serial)} == dict(store_factory("one").load().entries)

    @holds
    def test_s1_generations_stand_side_by_side(self, store_factory: Factory) -> None:
        old, older = entry(A, 2, deposed=True), entry(A, 1, deposed=True)
        store = store_factory("one")
        with store.lock(ADA) as fence:
            store.commit([Put(entry(A, 2)), Put(older)], fence)
            store.commit([Put(old), Put(entry(A, 3))], fence)
            store.commit([Drop(A, 1)], fence)
            state = store.load()

        assert {A: evolve(entry(A, 3), serial=2)} == dict(state.entries)
        assert {(A, 2): evolve(old, serial=2)} == dict(state.deposed)

    @holds
    def test_s1_a_put_takes_the_place_of_what_the_address_has(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            store.commit([Put(entry(A, 1)), Put(entry(B, 1))], fence)
            store.commit([Put(entry(A, 2))], fence)
            state = store.load()

        assert {address: e.generation for address, e in state.entries.items()} == {A: 2, B: 1}
        assert dict(state.deposed) == {}

    @holds
    def test_s1_a_move_renames_everywhere(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            store.commit([Put(FULL), Put(entry(A, 1, deposed=True)), Put(entry(B, depends_on=(A,)))], fence)
            serial = store.commit([Move(A, C)], fence)
            state = store.load()

        assert {address: e.key for address, e in state.entries.items()} == {C: "key-of-a", B: "key-of-b-1"}
        assert list(state.deposed) == [(C, 1)]
        assert state.entries[B].depends_on == (C,)
        assert state.entries[C].intended == FULL.intended
        assert {serial} == {e.serial for e in (*state.entries.values(), *state.deposed.values())}

    @holds
    def test_s1_a_store_and_a_snapshot_agree(self, store_factory: Factory) -> None:
        for seed in range(LIVES):
            store, chance = store_factory(f"random-{seed}"), Random(seed)  # noqa: S311
            with store.lock(ADA) as fence:
                records = Records(store.load())
                for _ in range(chance.randint(1, 5)):
                    changes = _changes(chance)
                    records.take(changes, store.commit(changes, fence))
                loaded = store_factory(f"random-{seed}").load()

            assert records.state() == loaded, f"life {seed} ends in two ways"

    @holds
    def test_s1_the_history_has_the_newest_run_first(self, store_factory: Factory) -> None:
        ended = evolve(RUN, until="2026-11-23T12:05:00+00:00", outcome="done", summary="3 created")
        other = evolve(RUN, id="r2", doing="destroy")
        store = store_factory("one")
        with store.lock(ADA) as fence:
            store.commit([Note(RUN)], fence)
            store.commit([Note(other), Note(ended)], fence)

        assert [other, ended] == list(store_factory("one").runs())

    @holds
    def test_s1_the_oldest_of_very_many_runs_are_forgotten(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            for first in range(0, 1200, 300):
                numbers = range(first, first + 300)
                store.commit([Note(evolve(RUN, id=f"r{number:04}")) for number in numbers], fence)
        kept = [run.id for run in store.runs()]

        assert [f"r{number:04}" for number in range(1199, 199, -1)] == kept

    @holds
    def test_s1_what_is_read_shut_has_every_secret_sealed(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            store.commit(
                [Put(FULL), Put(evolve(FULL, generation=1, deposed=True)), Publish({"p": Secret("x")})], fence
            )
        state = store.load(shut=True)
        found = (state.entries[A], state.deposed[A, 1])

        assert [Sealed] == [type(value) for value in state.outputs.values()]
        for one in found:
            values: Value = {"i": one.intended, "a": one.applied, "o": one.outputs}
            secret = {path for path, leaf in leaves(values) if isinstance(leaf, Secret)}
            assert secret == {path for path, leaf in leaves(values) if isinstance(leaf, Sealed)}
            assert secret == {("i", "token"), ("a", "token"), ("o", "password")}
            assert one.intended["size"] == 2

    # S2: serials

    @holds
    def test_s2_each_commit_raises_the_serial_by_one_and_marks_only_what_it_wrote(
        self, store_factory: Factory
    ) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            first = store.commit([Put(entry(A)), Put(entry(B))], fence)
            second = store.commit([Put(entry(B)), Bind("x", "1")], fence)
        state = store_factory("one").load()

        assert (first, second, state.serial) == (1, 2, 2)
        assert (state.entries[A].serial, state.entries[B].serial) == (1, 2)

    @holds
    def test_s2_a_snapshot_stays_as_it_is(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            store.commit([Put(entry(A))], fence)
            before = store.load()
            store.commit([Drop(A, 1), Put(entry(B)), Bind("x", "1"), Publish({"a": 1})], fence)

        assert (before.serial, list(before.entries), dict(before.bindings), dict(before.outputs)) == (1, [A], {}, {})

    @holds
    def test_s2_a_lock_changes_neither_serial_nor_lineage(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA):
            before = store.load()
        with store_factory("one").lock(EVE):
            after = store.load()

        assert before.lineage
        assert before == after

    @holds
    def test_s2_two_states_have_two_lineages(self, store_factory: Factory) -> None:
        lineages = set()
        for name in ("one", "two"):
            store = store_factory(name)
            with store.lock(ADA):
                lineages.add(store.load().lineage)

        assert len(lineages) == 2

    # S3: one writer at a time

    @holds
    def test_s3_a_lock_excludes_others_until_its_end(self, store_factory: Factory) -> None:
        one, other = store_factory("one"), store_factory("one")
        with one.lock(ADA) as first:
            one.commit([Put(entry())], first)
            with pytest.raises(StateLocked), other.lock(EVE):
                pass
            assert list(other.load().entries) == [A]
        with pytest.raises(ZeroDivisionError), other.lock(EVE):
            raise ZeroDivisionError
        with one.lock(ADA) as last:
            assert last.token > first.token

    # S4: a lock tells its holder

    @holds
    def test_s4_who_is_refused_is_told_by_whom(self, store_factory: Factory) -> None:
        one, other = store_factory("one"), store_factory("one")
        with one.lock(ADA), pytest.raises(StateLocked) as caught, other.lock(EVE):
            pass

        for word in ("ada", "desk", "4711", "2026-11-23T12:00:00", "prov apply"):
            assert word in caught.value.detail
        assert caught.value.remedy

    @holds
    def test_s4_the_holder_is_known_while_there_is_one(self, store_factory: Factory) -> None:
        one, other = store_factory("one"), store_factory("one")
        with one.lock(ADA):
            assert other.holder() == ADA
        assert other.holder() is None
        with pytest.raises(ZeroDivisionError), other.lock(EVE):
            raise ZeroDivisionError
        assert one.holder() is None

    # S5: all or nothing

    @holds
    def test_s5_a_commit_that_breaks_off_leaves_what_was_there(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            store.commit([Put(entry(A)), Bind("x", "1"), Note(RUN)], fence)
            before = store.load()
            with pytest.raises(ZeroDivisionError):
                store.commit(
                    _breaks_off([Put(entry(B)), Drop(A, 1), Bind("x", "2"), Note(evolve(RUN, id="r2"))]), fence
                )
            kept, runs = store_factory("one").load(), store.runs()
            serial = store.commit([Put(entry(B))], fence)

        assert before == kept
        assert list(runs) == [RUN]
        assert serial == before.serial + 1

    # S6: fences

    @holds
    def test_s6_a_stale_fence_writes_nothing(self, store_factory: Factory) -> None:
        one, other = store_factory("one"), store_factory("one")
        with one.lock(ADA) as stale:
            one.commit([Put(entry(A))], stale)
        with other.lock(EVE) as fence:
            before = other.load()
            with pytest.raises(StateMoved):
                one.commit([Put(entry(B))], stale)
            after = other.load()
            other.commit([Put(entry(B))], fence)

        assert fence.token > stale.token
        assert before == after

    @holds
    def test_s6_a_fence_that_was_never_granted_writes_nothing(self, store_factory: Factory) -> None:
        store = store_factory("one")
        with store.lock(ADA) as fence:
            with pytest.raises(StateMoved):
                store.commit([Put(entry(A))], Fence(fence.token + 1))
            state = store.load()

        assert dict(state.entries) == {}

    # S7: secrets are derived, not kept

    @holds
    def test_s7_what_is_derived_is_the_same_for_life_and_of_this_state(self, store_factory: Factory) -> None:
        one, two = store_factory("one"), store_factory("two")
        for store in (one, two):
            with store.lock(ADA) as fence:
                store.commit([Put(FULL)], fence)
        first = one.derive("a purpose")
        with one.lock(ADA) as fence:
            one.commit([Drop(A, 2)], fence)

        assert re.fullmatch("[0-9a-f]{64}", first)
        assert first == one.derive("a purpose") == store_factory("one").derive("a purpose")
        assert first not in (one.derive("another purpose"), one.derive(""), two.derive("a purpose"))


def _breaks_off(changes: Sequence[Change]) -> Sequence[Change]:
    """Changes that end in an error, as if the process had got into trouble on the way."""

    class Broken(list[Change]):
        def __iter__(self) -> Iterator[Change]:
            yield from super().__iter__()
            raise ZeroDivisionError

    return Broken(changes)


def _changes(chance: Random) -> tuple[Change, ...]:
    """Up to four changes of any sort."""
    return tuple(_change(chance) for _ in range(chance.randint(1, 4)))


def _change(chance: Random) -> Change:
    place, other = chance.choice((A, B, C)), chance.choice((A, B, C))
    match chance.randrange(8):
        case 0:
            return Drop(place, chance.randint(1, 3))
        case 1:
            return Move(place, other)
        case 2:
            return Bind(chance.choice("mn"), chance.choice(("", "x", "y")))
        case 3:
            return Publish(_named(chance))
        case 4:
            return Note(RUN)
        case _:
            made = entry(place, chance.randint(1, 3), deposed=chance.random() < 0.5, depends_on=(other,))
            owed = ("drain",) if chance.random() < 0.5 else ()
            return Put(evolve(made, applied=_named(chance), outputs=_named(chance), owed=owed))


def _named(chance: Random) -> Mapping[str, Value]:
    return {name: _value(chance, 2) for name in ("x", "y", "$z") if chance.random() < 0.5}


def _value(chance: Random, depth: int) -> Value:
    match chance.randrange(8 if depth else 6):
        case 0:
            return None
        case 1:
            return chance.random() < 0.5
        case 2:
            return chance.randint(-(2**70), 2**70)
        case 3 | 4:
            return chance.choice(("", "a text", "ünï\n", "$"))
        case 5:
            return Secret(chance.choice(("", "hidden", "$")))
        case 6:
            return tuple(_value(chance, depth - 1) for _ in range(chance.randint(0, 2)))
        case _:
            return {name: _value(chance, depth - 1) for name in ("a", "$secret") if chance.random() < 0.5}
