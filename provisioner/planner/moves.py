"""Entries that get another address before anything else is looked at."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from attrs import frozen

from provisioner.errors import Problem
from provisioner.model.address import Address
from provisioner.model.resource import Reading
from provisioner.model.state import Move, State
from provisioner.planner.problems import both_on_record, unlike_kinds


@frozen
class Moved:
    """The state as the moves leave it, and those moves that change anything."""

    state: State
    moves: tuple[Move, ...]
    problems: tuple[Problem, ...] = ()

    def readings(self, before: State, seen: Mapping[Address, Reading]) -> Mapping[Address, Reading]:
        """Readings by the addresses that entries have now; those of what is not on record stay where they are."""
        if not self.moves:
            return seen
        on_record = {address: reading for address, reading in seen.items() if address in before.entries}
        others = {address: reading for address, reading in seen.items() if address not in before.entries}
        return {**others, **{_now(address, self.moves): reading for address, reading in on_record.items()}}


def apply_moves(moves: Iterable[Move], state: State, wanted: Container[Address]) -> Moved:
    """Does in turn each move whose origin is on record.

    One whose target is on record as well was done earlier if the file wants both: the old address is used again.
    Otherwise nobody can tell which of the two is meant, and that is a problem.
    """
    done: list[Move] = []
    problems: list[Problem] = []
    on_record = {*state.entries, *(address for address, _ in state.deposed)}
    for move in moves:
        if move.origin.kind != move.target.kind:
            problems.append(unlike_kinds(move))
        elif move.origin in on_record and move.target not in on_record:
            on_record ^= {move.origin, move.target}
            done.append(move)
        elif move.origin in on_record and not (move.origin in wanted and move.target in wanted):
            problems.append(both_on_record(move))
    return Moved(state.after(done, state.serial) if done else state, tuple(done), tuple(problems))


def origin_of(address: Address, moves: Iterable[Move]) -> Address | None:
    """What an address was called before the moves; None if nothing had it."""
    for move in reversed(tuple(moves)):
        if address == move.target:
            address = move.origin
        elif address == move.origin:
            return None
    return address


def _now(address: Address, moves: Iterable[Move]) -> Address:
    for move in moves:
        if address == move.origin:
            address = move.target
    return address
