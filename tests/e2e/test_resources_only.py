"""A file without a cluster, through the command: resources of the state, outputs, no machines and no kubeconfig."""

from __future__ import annotations

from typing import Any

from fakes.lab import Lab, steps_of


def _file(first: Any = 1, generation: int = 1) -> dict[str, Any]:
    return {
        "version": 1,
        "name": "lab",
        "resources": {
            "first": {"kind": "core.value", "props": {"value": {"n": first}}},
            "second": {
                "kind": "core.value",
                "props": {"value": {"before": "${resources.first.id}"}, "replace_when": generation},
            },
        },
        "outputs": {"n": "${resources.first.value.n}"},
    }


def test_values_are_kept_changed_replaced_and_removed(lab: Lab) -> None:
    """The life of a file with resources only; apply shows the outputs, and nothing of a cluster is left behind."""
    lab.write(_file())

    assert lab.prov("apply", "--yes").stdout == "n = 1\n"
    lab.prov("plan", code=0)
    lab.write(_file(first=2))
    assert lab.changes() == [("update", "core.value/first")]
    assert lab.prov("apply", "--yes").stdout == "n = 2\n"
    lab.write(_file(first=2, generation=2))
    assert lab.changes() == [("replace", "core.value/second")]
    lab.write({**_file(first=2), "resources": {"first": _file(first=2)["resources"]["first"]}})
    assert lab.changes() == [("delete", "core.value/second")]
    lab.prov("destroy", "--yes")
    assert sorted(path.name for path in (lab.folder / ".prov").iterdir() if path.suffix not in (".lock", ".db")) == []


def test_what_belongs_to_a_cluster_says_that_there_is_none(lab: Lab) -> None:
    lab.write(_file())
    lab.prov("apply", "--yes")

    for command in ("status", "kubeconfig", "talosconfig"):
        assert "the file describes no cluster" in lab.prov(command, code=1).stderr


def test_without_refresh_nothing_is_read_and_the_plan_says_so(lab: Lab) -> None:
    lab.write(_file())
    lab.prov("apply", "--yes", "--no-refresh")

    unread = lab.json("plan", "--no-refresh")

    assert unread["refreshed"] is False
    assert steps_of(unread) == []
    assert lab.json("plan")["refreshed"] is True
    assert lab.prov("plan", "--no-refresh").stdout.startswith("Nothing was read")


def test_a_plan_saved_without_refresh_still_says_so_when_it_is_applied(lab: Lab) -> None:
    lab.write(_file())
    lab.prov("plan", "--no-refresh", "--out", "unread.plan", code=2)
    lab.prov("plan", "--out", "read.plan", code=2)

    assert "Nothing was read" not in lab.prov("apply", "--plan", "read.plan", code=1).stderr
    assert "Nothing was read" in lab.prov("apply", "--plan", "unread.plan", "--yes").stderr
