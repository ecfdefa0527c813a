"""Every rule for stores catches a store that breaks it."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import evolve

from provisioner.conformance.rules import STORE_RULES
from provisioner.conformance.store_suite import StoreSuite
from provisioner.errors import StateLocked, StateMoved
from provisioner.model.state import Fence, Move, Put, State
from provisioner.state.memory_store import MemoryStore

BITTEN: dict[str, type[MemoryStore]] = {}


def breaks(*tests: str) -> Any:
    def mark(broken: type[MemoryStore]) -> type[MemoryStore]:
        BITTEN.update(dict.fromkeys(tests, broken))
        return broken

    return mark


@breaks("test_s1_an_entry_comes_back_as_it_was")
class ForgetsMemos(MemoryStore):
    def commit(self, changes, fence):
        return super().commit([Put(evolve(c.entry, memo={})) if isinstance(c, Put) else c for c in changes], fence)


@breaks("test_s1_generations_stand_side_by_side")
class ForgetsTheDeposed(MemoryStore):
    def load(self, *, shut=False):
        return evolve(super().load(shut=shut), deposed={})


@breaks("test_s1_a_put_takes_the_place_of_what_the_address_has")
class KeepsEveryGeneration(MemoryStore):
    def commit(self, changes, fence):
        old = [self.load().entries.get(c.entry.address) for c in changes if isinstance(c, Put)]
        deposed = [Put(evolve(e, deposed=True)) for e in old if e is not None]
        return super().commit([*deposed, *changes], fence)


@breaks("test_s1_a_move_renames_everywhere", "test_s1_a_store_and_a_snapshot_agree")
class NeverMoves(MemoryStore):
    def commit(self, changes, fence):
        return super().commit([c for c in changes if not isinstance(c, Move)], fence)


@breaks("test_s1_the_history_has_the_newest_run_first", "test_s1_the_oldest_of_very_many_runs_are_forgotten")
class TellsTheOldestFirst(MemoryStore):
    def runs(self):
        return tuple(reversed(super().runs()))


@breaks("test_s1_what_is_read_shut_has_every_secret_sealed")
class OpensEverything(MemoryStore):
    def load(self, *, shut=False):
        return super().load()


@breaks("test_s2_each_commit_raises_the_serial_by_one_and_marks_only_what_it_wrote")
class MarksEverything(MemoryStore):
    def load(self, *, shut=False):
        state = super().load(shut=shut)
        marked = {address: evolve(entry, serial=state.serial) for address, entry in state.entries.items()}
        return evolve(state, entries=marked)


@breaks("test_s2_a_snapshot_stays_as_it_is")
class LendsWhatItHas(MemoryStore):
    def load(self, *, shut=False):
        has = self._records
        return State(has.cluster, has.lineage, has.serial, has.entries, has.deposed, has.bindings, has.outputs)


@breaks("test_s2_a_lock_changes_neither_serial_nor_lineage")
class CountsLocks(MemoryStore):
    @contextmanager
    def lock(self, info):
        with super().lock(info) as fence:
            self._records.serial += 1
            yield fence


@breaks("test_s2_two_states_have_two_lineages")
class IsTheOnlyOne(MemoryStore):
    def load(self, *, shut=False):
        return evolve(super().load(shut=shut), lineage="the lineage")


@breaks("test_s3_a_lock_excludes_others_until_its_end", "test_s4_who_is_refused_is_told_by_whom")
class LetsAnybodyIn(MemoryStore):
    @contextmanager
    def lock(self, info):
        self._held = False
        with super().lock(info) as fence:
            yield fence


@breaks("test_s4_who_is_refused_is_told_by_whom")
class RefusesWithoutAWord(MemoryStore):
    @contextmanager
    def lock(self, info):
        if self._held:
            raise StateLocked("another run is at work on this state")
        with super().lock(info) as fence:
            yield fence


@breaks("test_s4_the_holder_is_known_while_there_is_one")
class RemembersHolders(MemoryStore):
    def holder(self):
        self.last = super().holder() or getattr(self, "last", None)
        return self.last


@breaks("test_s5_a_commit_that_breaks_off_leaves_what_was_there")
class WritesOneByOne(MemoryStore):
    def commit(self, changes, fence):
        for change in changes:
            serial = super().commit([change], fence)
        return serial


@breaks("test_s6_a_stale_fence_writes_nothing", "test_s6_a_fence_that_was_never_granted_writes_nothing")
class TrustsEverybody(MemoryStore):
    def commit(self, changes, fence):
        return super().commit(changes, Fence(self._token))


@breaks("test_s7_what_is_derived_is_the_same_for_life_and_of_this_state")
class DerivesFromThePurposeAlone(MemoryStore):
    def derive(self, purpose):
        return hashlib.sha256(purpose.encode()).hexdigest()


def test_every_rule_is_known_to_catch_somebody() -> None:
    assert {test for rule in STORE_RULES for test in rule.tests} == set(BITTEN)


@pytest.mark.parametrize("test", sorted(BITTEN))
def test_a_store_that_breaks_a_rule_is_caught(test: str) -> None:
    with pytest.raises((AssertionError, StateMoved, StateLocked, pytest.fail.Exception)):
        _tried(test, BITTEN[test])


@pytest.mark.parametrize("test", sorted(BITTEN))
def test_the_same_store_unbroken_passes(test: str) -> None:
    _tried(test, MemoryStore)


def _tried(test: str, store: type[MemoryStore]) -> None:
    made: dict[str, MemoryStore] = {}
    getattr(StoreSuite(), test)(lambda name: made.setdefault(name, store("demo")))
