"""All that people and machines read of a plan, of problems and of a run, word by word."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fakes import golden, planning
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import Place, Problem
from provisioner.model.event import (
    Event,
    RunEnded,
    RunStarted,
    StepDone,
    StepFailed,
    StepProgress,
    StepSkipped,
    StepStarted,
    Stopping,
)
from provisioner.model.value import Origin, Ref, Secret, Sourced, Unknown, Value
from provisioner.planner.compare import differences
from provisioner.render.problems import problems_text
from provisioner.render.progress import JsonProgress, LineProgress, Progress
from provisioner.render.style import Style
from provisioner.render.text import plan_text, short
from provisioner.render.view import SCHEMA, path_text, plan_view, problem_view, value_view

MIXED: Mapping[str, Any] = {
    "wanted": {
        "toy.thing/new": {"size": 3, "token": "hunter2", "seed": "secret:hunter2", "parts": {"x": [1, {"y": None}]}},
        "toy.thing/user": {"parts": {"at": "${toy.thing/new.address}", "loud": "shout ${toy.thing/new.id}"}},
        "toy.thing/same": None,
        "toy.thing/a": {"size": 2, "token": "secret:hunter2", "parts": {"odd key": "x" * 80}},
        "toy.thing/b": {"size": 2},
        "toy.thing/drifted": None,
        "toy.thing/silent": None,
        "toy.vault/moved": {"name": "other"},
        "toy.gate/up": {"watches": {"rev": "${toy.thing/a.revision}"}},
    },
    "state": {
        "toy.thing/same": None,
        "toy.thing/a": {"applied": {"token": "secret:hunter2-old", "parts": {"gone": True}}},
        "toy.thing/b": None,
        "toy.thing/drifted": None,
        "toy.thing/silent": None,
        "toy.vault/moved": None,
        "toy.gate/up": {"outputs": {"id": "up"}},
        "toy.gate/old": {"outputs": {"id": "old"}},
        "toy.thing/leaving": {"status": "deleting"},
    },
    "seen": {"toy.thing/drifted": {"size": 9}, "toy.thing/silent": "unreachable"},
    "rollouts": [
        {"members": ["toy.thing/a", "toy.thing/b"], "max_unavailable": 1, "reason": "quorum: one at a time"},
        {"members": ["toy.thing/same"], "max_unavailable": 1, "reason": "never shown", "where": {"size": 7}},
    ],
    "outputs": {"password": "secret:hunter2", "address": "${toy.thing/same.address}"},
    "options": {"allow": ["data-loss"]},
}
ABLE: Mapping[str, Any] = {
    "moved": [["toy.thing/was", "toy.thing/is"]],
    "wanted": {
        "toy.image/base": {},
        "toy.image/later": {"name": "${toy.thing/is.id}"},
        "toy.thing/is": {"name": "was", "size": 2},
        "toy.host/up": {"version": 3, "address": "a"},
        "toy.host/owed": None,
        "toy.host/owed-one": None,
        "toy.host/found": {"address": "b", "_adopts": "h-1"},
        "toy.host/found-right": {"_adopts": "h-2"},
        "toy.vault/first": {"name": "other", "_replace": "create_first"},
        "toy.thing/lost": None,
    },
    "state": {
        "toy.thing/was": None,
        "toy.host/up": None,
        "toy.host/owed": {"owed": ["drain", "uncordon"]},
        "toy.host/owed-one": {"owed": ["uncordon"]},
        "toy.vault/first": None,
        "toy.thing/lost": {"owed": ["drain"]},
    },
    "deposed": [{"address": "toy.thing/was", "generation": 7}],
    "seen": {
        "toy.image/base": {"_outputs": {"id": "img-1", "digest": "d"}},
        "toy.host/found": {"address": "c", "version": 1, "tags": {}},
        "toy.host/found-right": {"address": "", "version": 1, "tags": {}},
    },
    "rollouts": [
        {
            "members": ["toy.thing/is", "toy.vault/first"],
            "max_unavailable": 1,
            "name": "fleet",
            "after_each": {"x": 1},
            "failure_budget": 2,
            "on_failure": "rollback",
        },
        {"members": ["toy.host/up"], "max_unavailable": 1, "name": "hosts", "before": {}, "reason": "hosts"},
    ],
    "options": {"allow": ["data-loss"]},
}
CASES: Mapping[str, Mapping[str, Any]] = {
    "mixed": MIXED,
    "abilities": ABLE,
    "moves-only": {
        "moved": [["toy.thing/a", "toy.thing/b"]],
        "wanted": {"toy.thing/b": {"name": "a"}},
        "state": {"toy.thing/a": None},
    },
    "empty": {"wanted": {"toy.thing/a": None}, "state": {"toy.thing/a": None}},
    "create": {"wanted": {"toy.thing/a": None, "toy.thing/b": {"_after": ["toy.thing/a"]}}},
    "destroy": {"state": MIXED["state"], "options": {"destroy": True}, "published": {"x": 1}},
    "destroy-nothing": {"options": {"destroy": True}},
    "outputs-only": {"outputs": {"x": 1, "y": "secret:hunter2"}},
    "blocked": {
        "wanted": {"toy.thing/a": {"size": "big"}, "toy.vault/v": None},
        "state": {"toy.vault/v": None, "toy.thing/kept": {"protect": True}},
        "seen": {"toy.vault/v": "absent"},
    },
}
EVENTS: tuple[Event, ...] = (
    RunStarted("settle", 1),
    StepStarted("create:toy.thing/z", "create", "toy.thing/z"),
    StepDone("create:toy.thing/z", "create", "toy.thing/z", 0.25),
    RunEnded(1, 0, 0, 0.25),
    RunStarted("apply", 7),
    StepStarted("create:toy.thing/a", "create", "toy.thing/a"),
    StepProgress("create:toy.thing/a", "toy.thing/a", "booting", 0.5),
    StepProgress("create:toy.thing/a", "toy.thing/a", "not shown: too soon after the first", None),
    StepDone("create:toy.thing/a", "create", "toy.thing/a", 12.34),
    StepDone("update:toy.thing/b", "update", "toy.thing/b", 1.0),
    StepDone("delete:toy.thing/c", "delete", "toy.thing/c", 1.0),
    StepDone("check:toy.gate/up", "check", "toy.gate/up", 1.0),
    StepDone("forget:toy.gate/old", "forget", "toy.gate/old", 0.0),
    StepFailed("create:toy.thing/d", "create", "toy.thing/d", "no quota", "0 of 5 left", "ask for more"),
    StepSkipped("create:toy.thing/e", "create", "toy.thing/e", "create:toy.thing/d"),
    Stopping(),
    RunEnded(5, 1, 1, 20.0),
)
PROBLEMS = (
    Problem("one", "the first thing", "with\ntwo lines", Place("cluster.yaml", 3, 5), "do this"),
    Problem("two", "the second thing", place=Place(address="toy.thing/a")),
    Problem("three", "the third thing", remedy="do that"),
)


@pytest.mark.parametrize("name", CASES)
def test_plan_as_text(name: str) -> None:
    golden.check(f"render/plan-{name}.txt", plan_text(plan_view(planning.plan(CASES[name])), Style()))


@pytest.mark.parametrize("name", CASES)
def test_plan_as_json(name: str) -> None:
    view = plan_view(planning.plan(CASES[name]))
    golden.check(f"render/plan-{name}.json", json.dumps(view, indent=2, ensure_ascii=False) + "\n")


def test_problems_as_text_and_json() -> None:
    golden.check("render/problems.txt", problems_text(PROBLEMS, Style()))
    views = [problem_view(problem) for problem in PROBLEMS]
    golden.check("render/problems.json", json.dumps(views, indent=2) + "\n")


def test_events_as_lines() -> None:
    """A second passes between two events."""
    now = [0.0]

    def made(out: io.StringIO) -> Progress:
        progress = LineProgress(out, Style(), lambda: now[0])
        return _Ticking(progress, now)

    golden.check("render/events.txt", _shown(made))


def test_events_as_json() -> None:
    golden.check("render/events.json", _shown(JsonProgress))


class _Ticking:
    def __init__(self, inner: Progress, now: list[float]) -> None:
        self._inner, self._now = inner, now

    def show(self, event: Event) -> None:
        self._now[0] += 1.0
        self._inner.show(event)

    def close(self) -> None:
        self._inner.close()


def _shown(made: Callable[[io.StringIO], Progress]) -> str:
    out = io.StringIO()
    progress = made(out)
    for event in EVENTS:
        progress.show(event)
    progress.close()
    return out.getvalue()


def test_colour_adds_nothing_but_colour() -> None:
    view = plan_view(planning.plan(MIXED))
    painted = plan_text(view, Style(colour=True))
    assert "\x1b[" in painted
    assert plan_text(view, Style()) == _bare(painted)
    assert problems_text(PROBLEMS, Style()) == _bare(problems_text(PROBLEMS, Style(colour=True)))


def _bare(text: str) -> str:
    for code in range(50):
        text = text.replace(f"\x1b[{code}m", "")
    return text


def test_no_rendering_shows_a_secret() -> None:
    for case in CASES.values():
        view = plan_view(planning.plan(case))
        for text in (json.dumps(view), plan_text(view, Style())):
            assert "hunter2" not in text


def test_the_view_of_any_plan_is_plain_data() -> None:
    for case in CASES.values():
        view = plan_view(planning.plan(case))
        assert view == json.loads(json.dumps(view))
        assert view["schema"] == SCHEMA


_LEAF = st.none() | st.booleans() | st.integers() | st.text() | st.just(Secret("hunter2")) | st.just(Unknown("x"))
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(_VALUE, _VALUE)
def test_no_difference_of_any_two_values_shows_a_secret(before: Value, after: Value) -> None:
    for change in differences({"k": before}, {"k": after}):
        assert "hunter2" not in json.dumps([value_view(change.before), value_view(change.after)])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("documents", 0, "machine", "sysctls"), "documents[0].machine.sysctls"),
        (("parts", "net.ipv4.ip_forward"), 'parts["net.ipv4.ip_forward"]'),
        (("a_b", "c-d"), "a_b.c-d"),
        (("a", ""), 'a[""]'),
    ],
)
def test_paths_read_like_expressions(path: tuple[str | int, ...], text: str) -> None:
    assert text == path_text(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", '"x"'),
        (None, "null"),
        (Secret("hunter2"), "(secret)"),
        (Unknown("a"), "(known after apply)"),
        (Sourced(Secret("x"), Origin("f", 1)), "(secret)"),
        (("a", Secret("x")), '["a", {"$secret": true}]'),
        ("y" * 100, '"' + "y" * 58 + "…"),
    ],
)
def test_a_value_takes_at_most_a_line(value: Value, text: str) -> None:
    assert text == short(value_view(value))


def test_a_reference_reads_as_in_the_file() -> None:
    plan = planning.plan(CASES["create"])
    ref = Ref(plan.steps[0].address, "address")
    assert short(value_view(ref)) == "${toy.thing/a.address}"


def test_colour_is_for_terminals_that_want_it() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert Style.of(Terminal(), {}).colour
    assert not Style.of(Terminal(), {"NO_COLOR": "1"}).colour
    assert not Style.of(Terminal(), {"TERM": "dumb"}).colour
    assert not Style.of(io.StringIO(), {}).colour


def test_a_long_list_of_changes_is_cut_and_says_so() -> None:
    case = {
        "wanted": {"toy.thing/a": {"parts": {f"p{index:02}": 1 for index in range(60)}}},
        "state": {"toy.thing/a": None},
    }
    text = plan_text(plan_view(planning.plan(case)), Style())
    assert text.count("+ parts.p") == 40
    assert "… and 20 more, see --json" in text
