"""Looking into a state, and correcting what is on record; nothing here touches what is really there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from attrs import frozen

from provisioner.errors import Place, StateError, StateLocked, did_you_mean
from provisioner.model.address import Address
from provisioner.model.state import Drop, Entry, LockInfo, Move, State
from provisioner.state.sqlite_store import SqliteStore
from provisioner.workflow.open import World, lock_info


@frozen
class OnRecord:
    """All that is on record under one address: the current object, if there is one, and the deposed ones."""

    address: Address
    current: Entry | None
    deposed: tuple[Entry, ...]


def look(store: SqliteStore) -> State:
    """What is on record, with its secrets left sealed."""
    return store.load(shut=True)


def find(state: State, text: str) -> OnRecord:
    """What is on record under an address; raises StateError with a guess where there is nothing."""
    for address in _addresses(state):
        if str(address) == text:
            deposed = tuple(entry for (other, _), entry in sorted(state.deposed.items()) if other == address)
            return OnRecord(address, state.entries.get(address), deposed)
    raise StateError(
        "nothing on record has this address",
        detail=repr(text),
        remedy=did_you_mean(text, map(str, _addresses(state))) or "nothing is on record at all",
    )


def move(store: SqliteStore, world: World, origin: str, target: str) -> None:
    """Gives what is on record under one address another one, also where other entries name it."""
    store.must_exist()
    with store.lock(lock_info(world, "state mv")) as fence:
        state = look(store)
        known, new = find(state, origin), _target(state, target)
        if new.kind != known.address.kind:
            raise StateError(
                "a move cannot change the kind",
                detail=f"{origin} is a {known.address.kind}, {target} would be a {new.kind}",
                remedy=f"name it {known.address.kind}/{new.name}",
            )
        store.commit([Move(known.address, new)], fence)


def _target(state: State, text: str) -> Address:
    try:
        address = Address.parse(text)
    except ValueError as err:
        raise StateError("this is not an address", detail=str(err), remedy="write KIND/NAME") from None
    if address in set(_addresses(state)):
        raise StateError(
            "this address is taken",
            detail=f"{text} is on record already",
            place=Place(address=text),
            remedy="move that one away first, or choose another name",
        )
    return address


def one_of(found: OnRecord, generation: int | None) -> Entry:
    """The entry meant by an address and perhaps a generation; raises StateError where that is none."""
    entries = [entry for entry in (found.current, *found.deposed) if entry is not None]
    for entry in entries:
        if generation in (None, entry.generation):
            return entry
    raise StateError(
        "this generation is not on record",
        detail=f"{found.address} has {', '.join(str(entry.generation) for entry in entries)}, not {generation}",
        remedy="see what there is with `prov state show`",
    )


def made_after(state: State, address: Address) -> tuple[Address, ...]:
    """What was made after an object, and says so on record."""
    return tuple(other for other, entry in state.entries.items() if address in entry.depends_on)


def forget(store: SqliteStore, world: World, entry: Entry) -> None:
    """Takes one object off the record; raises StateError if it is not as it was when somebody looked."""
    with store.lock(lock_info(world, "state rm")) as fence:
        now = one_of(find(look(store), str(entry.address)), entry.generation)
        if now.key != entry.key or now.serial != entry.serial:
            raise StateError(
                "the entry has changed in the meantime",
                detail=str(entry.address),
                remedy="look at it with `prov state show`, then try again",
            )
        store.commit([Drop(now.address, now.generation)], fence)


def left_over(store: SqliteStore) -> LockInfo | None:
    """The owner that a run left behind when it was cut off, or None; raises StateLocked while it may be at work."""
    store.refuse_if_held()
    holder = store.holder()
    if holder is not None and _lives_here(holder):
        raise StateLocked(
            "the process that held the lock is still there",
            detail=str(holder),
            remedy=f"end process {holder.pid}; if it is something else by now, go on: the next run takes over",
        )
    return holder


def _lives_here(holder: LockInfo) -> bool:
    if holder.host != socket.gethostname():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def unlock(store: SqliteStore, world: World) -> None:
    """Takes the owner off the state, and makes the fence of an earlier writer worthless."""
    store.must_exist()
    with store.lock(lock_info(world, "unlock")):
        pass  # taking the lock raises the token, letting go of it clears the owner


def _addresses(state: State) -> Iterable[Address]:
    return sorted({*state.entries, *(address for address, _ in state.deposed)})
