"""Any mix of what is wanted, on record and found, as cases of `fakes.planning`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

NAMES = [f"toy.thing/{letter}" for letter in "abcdef"] + ["toy.gate/g", "toy.vault/v", "toy.host/h", "toy.host/i"]
_STATUSES = ["ready", "ready", "ready", "failed", "deleting", "updating", "creating", "adopting", "running"]
_FOUND = ["as-recorded", "as-recorded", "absent", "unreachable"]


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Needs point to what stands earlier in a list of its own, so that neither file nor records go in circles."""
    recorded, found = _recorded(draw)
    wanted = _wanted(draw)
    members = st.lists(st.sampled_from(NAMES), unique=True, min_size=1)
    return {
        "wanted": wanted,
        "state": recorded,
        "seen": found,
        "deposed": _deposed(draw),
        "moved": draw(st.sampled_from([[], [["toy.thing/a", "toy.thing/b"]], [["toy.host/h", "toy.host/z"]]])),
        "rollouts": [_rollout(draw, draw(members), number, wanted) for number in range(draw(st.integers(0, 2)))],
        "options": {"destroy": draw(st.booleans()) and draw(st.booleans()), "allow": ["data-loss"]},
    }


def _wanted(draw: st.DrawFn) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for name in draw(st.permutations(NAMES)):
        if not draw(st.booleans()):
            continue
        before = list(wanted)
        props: dict[str, Any] = {"_after": draw(st.lists(st.sampled_from(before), unique=True))} if before else {}
        if "gate" not in name:
            props["_replace"] = draw(st.sampled_from(["delete_first", "create_first"]))
            props |= draw(st.sampled_from([{}, {"name": "new"}, {"version": 3} if "host" in name else {"size": 2}]))
        if "host" in name and draw(st.booleans()):
            props["_adopts"] = "h-1"
        wanted[name] = props
    return wanted


def _recorded(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    recorded: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for name in draw(st.permutations(NAMES)):
        if not draw(st.booleans()):
            continue
        needs = draw(st.lists(st.sampled_from(list(recorded)), unique=True)) if recorded else []
        recorded[name] = {"depends_on": needs, "generation": 3}
        if "gate" not in name:
            recorded[name]["status"] = draw(st.sampled_from(_STATUSES))
            recorded[name]["owed"] = draw(st.sampled_from([[], [], ["drain", "uncordon"]]))
            found[name] = draw(st.sampled_from(_FOUND)) if recorded[name]["status"] != "creating" else "not-asked"
    return recorded, found


def _deposed(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from([name for name in NAMES if "gate" not in name]), unique=True, max_size=3))
    return [{"address": name, "generation": draw(st.integers(1, 2)), "depends_on": []} for name in names]


def _rollout(draw: st.DrawFn, members: list[str], number: int, wanted: Mapping[str, Any]) -> dict[str, Any]:
    watch = st.sampled_from([None, {"x": 1}, {"at": "${toy.thing/a.id}"} if "toy.thing/a" in wanted else {"x": 2}])
    return {
        "members": members,
        "max_unavailable": draw(st.integers(1, 3)),
        "name": f"rollout-{number}",
        "before": draw(watch),
        "after_each": draw(watch),
        "failure_budget": draw(st.integers(0, 1)),
        "on_failure": draw(st.sampled_from(["stop", "rollback"])),
    }
