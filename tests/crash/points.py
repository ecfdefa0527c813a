"""What the points of a run are called, so that one run's point can be found again in another.

    apply create talos.config/control-1 sent after:Done 1
    commit Put:creating talos.config/control-1 sent before 1
    request create_machine control-1 - after:answer 1

A name has six words: where, verb, object, phase, side, and the number of the passage among those that are named
alike. It has no keys, addresses or times in it.
"""

from __future__ import annotations

from typing import Any

from provisioner.model.state import Bind, Change, Drop, Publish, Put


def call_name(stage: str, verb: str, job: Any) -> str:
    """A call of a verb about one object; a deletion's manner is part of the verb."""
    manner = f":{job.how}" if verb == "delete" and job.how else ""
    return f"{stage} {verb}{manner} {job.address} {job.phase or '-'}"


def change_name(change: Change) -> str:
    """One change in a commit; a commit goes by the names of all its changes."""
    match change:
        case Put(entry):
            return f"commit Put:{entry.status} {entry.address} {entry.phase or '-'}"
        case Drop(address, _):
            return f"commit Drop {address} -"
        case Bind():
            return "commit Bind - -"
        case Publish():
            return "commit Publish - -"
        case _:  # kinds of changes to come
            return f"commit {type(change).__name__} - -"


def kind_of(name: str) -> str:
    """What points have in common that differ in the object, the outcome and the passage only.

    `apply create talos.config sent after` of `apply create talos.config/control-1 sent after:Done 1`.
    """
    where, verb, subject, phase, side, _ = name.split(" ")
    kind, slash, _ = subject.partition("/")
    subject = kind if slash or where == "file" else "-"
    return f"{where} {verb} {subject} {phase} {side.partition(':')[0]}"
