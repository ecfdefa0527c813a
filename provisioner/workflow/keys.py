"""Who can open a state: showing it, adding to it, and changing the key."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from provisioner.errors import KeyMissing, did_you_mean
from provisioner.state.identity import find_identity, identity_to_open
from provisioner.state.sealed import Identity
from provisioner.state.sqlite_store import SqliteStore
from provisioner.workflow.open import World, lock_info


@frozen
class KeysInUse:
    """The identity at hand, if any, and who can open the state, if there is one."""

    identity: Identity | None
    recipients: tuple[str, ...]

    @property
    def opens(self) -> bool:
        """Whether the identity at hand is among the recipients."""
        return self.identity is not None and self.identity.recipient() in self.recipients


def in_use(store: SqliteStore | None, world: World) -> KeysInUse:
    """What `prov keys show` shows."""
    return KeysInUse(find_identity(world.environ), _recipients(store) if store is not None else ())


def add(store: SqliteStore, world: World, recipient: str) -> tuple[str, ...]:
    """Lets one more recipient open the state; returns all of them."""
    store.must_exist()
    with store.lock(lock_info(world, "keys add")) as fence:
        known = _recipients(store)
        if recipient not in known:
            store.share((*known, recipient), fence)
        return _recipients(store)


def rotate(store: SqliteStore, world: World, remove: Sequence[str]) -> tuple[str, ...]:
    """Seals everything with a new data key, for all recipients but those in `remove`; returns who is left."""
    store.must_exist()
    own = identity_to_open(world.environ)().recipient()
    with store.lock(lock_info(world, "keys rotate")) as fence:
        known = _recipients(store)
        for recipient in remove:
            if recipient not in known:
                raise KeyMissing(
                    "this recipient cannot open the state anyway",
                    detail=repr(recipient) if recipient.startswith("age1") else "what was given is no recipient",
                    remedy=did_you_mean(recipient, known),
                )
        kept = tuple(recipient for recipient in known if recipient not in remove)
        if own in known and own not in kept:
            raise KeyMissing(
                "this would lock you out",
                detail=f"{own} belongs to the identity in use",
                remedy="use the identity of another recipient to remove this one",
            )
        store.reseal(kept, fence)
        return _recipients(store)


def _recipients(store: SqliteStore) -> tuple[str, ...]:
    return store.vault().wrapped.recipients if store.exists else ()
