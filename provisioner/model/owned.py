"""What a remote has that bears our mark."""

from __future__ import annotations

from attrs import frozen


@frozen
class Owned:
    """An object with a mark of ours, as its provider finds it.

    kind      by full name, such as `sim.machine`
    id        the remote's name for it, as in the kind's outputs
    key       the ownership key it was made with
    lineage   the state it belongs to
    address   what it was called there, for people; empty where the mark does not tell
    cluster   which cluster it was made for, likewise
    """

    kind: str
    id: str
    key: str
    lineage: str
    address: str = ""
    cluster: str = ""
