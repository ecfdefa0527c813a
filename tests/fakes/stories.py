"""Random stories: files, faults and accidents that follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from hypothesis import strategies as st

from provisioner.errors import EndpointDown, Fatal, OperatorNeeded, Retry, Throttled
from provisioner.model.job import Pending

KINDS: Mapping[str, str] = {
    "a": "thing",
    "b": "disk",
    "c": "thing",
    "d": "vault",
    "e": "server",
    "f": "gate",
    "g": "thing",
    "h": "upload",
    "i": "gate",
    "j": "disk",
}
"""What each name is of: edges lead from later names to earlier ones, so that no two files contradict each other."""
Wanted = Mapping[str, Any]


@frozen
class Chapter:
    """A file, what befalls its application, and when that is killed.

    `faults` are scripts by verb and name, `lost` and `drifted` names of what changes behind everybody's back before,
    `kills` the points at which one attempt after the other ends.
    """

    wanted: Wanted
    faults: Mapping[tuple[str, str], tuple[Any, ...]] = field(factory=dict)
    lost: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()
    kills: tuple[int, ...] = ()


def address(name: str) -> str:
    """`toy.thing/a` for `a`."""
    return f"toy.{KINDS[name]}/{name}"


@st.composite
def files(draw: st.DrawFn, version: int) -> Wanted:
    """A file with some of the names; servers are at `version`."""
    names = sorted(draw(st.sets(st.sampled_from(sorted(KINDS)), max_size=8)))
    wanted: dict[str, Any] = {}
    for index, name in enumerate(names):
        needs = sorted(draw(st.sets(st.sampled_from(names[:index]), max_size=3))) if index else []
        wanted[address(name)] = _block(draw, name, needs, version)
    return wanted


def _block(draw: st.DrawFn, name: str, needs: list[str], version: int) -> dict[str, Any]:
    kind = KINDS[name]
    size = draw(st.integers(1, 3))
    references = {need: f"${{{address(need)}.id}}" for need in needs}
    match kind:
        case "gate":
            return {"watches": references}
        case "server":
            return {"size": size, "version": version, "_after": [address(need) for need in needs]}
        case "disk":
            way = draw(st.sampled_from(["create_first", "delete_first"]))
            return {"size": size, "_replace": way, "_after": [address(need) for need in needs]}
        case "upload":
            return {"name": name, "content": str(size), "_after": [address(need) for need in needs]}
        case _:
            called = draw(st.sampled_from([name, f"{name}-other"]))
            return {"name": called, "size": size, "parts": references}


_FAULTS = st.one_of(
    st.builds(lambda s: Pending(phase="on the way", after_s=s), st.sampled_from([0.1, 5.0])),
    st.builds(lambda: Retry("busy", after_s=2.0)),
    st.builds(lambda: Throttled("slower, please")),
    st.builds(lambda: EndpointDown("nobody there")),
    st.builds(lambda: OperatorNeeded("a person is needed")),
    st.builds(lambda effect: Fatal("no", effect=effect), st.booleans()),
    st.builds(lambda: RuntimeError("a fault of the provider")),
)
_VERBS = ("create", "update", "delete", "check", "run:drain", "run:reboot", "run:uncordon")


@st.composite
def stories(draw: st.DrawFn, *, faults: bool = True, kills: bool = True) -> list[Chapter]:
    """One to four chapters; the versions of servers only grow."""
    version = 1
    chapters = []
    for _ in range(draw(st.integers(1, 4))):
        version = min(4, version + draw(st.integers(0, 2)))
        scripts: dict[tuple[str, str], tuple[Any, ...]] = {}
        if faults:
            keys = st.tuples(st.sampled_from(_VERBS), st.sampled_from(sorted(KINDS)))
            scripts = draw(st.dictionaries(keys, st.lists(_FAULTS, min_size=1, max_size=3).map(tuple), max_size=4))
        chapters.append(
            Chapter(
                draw(files(version)),
                scripts,
                tuple(sorted(draw(st.sets(st.sampled_from("abcdeghj"), max_size=1)))),
                tuple(sorted(draw(st.sets(st.sampled_from("acdg"), max_size=1)))),
                tuple(draw(st.lists(st.integers(0, 60), max_size=2))) if kills else (),
            )
        )
    return chapters
