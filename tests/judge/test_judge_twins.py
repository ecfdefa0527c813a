"""Settings in two forms, and kinds of documents, as each minor release of Talos sees them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.talos.config.kinds import all_kinds, is_for_control_planes, known_since
from provisioner.talos.versions import Contract

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "twins.yaml").read_text())
MINORS = ("1.11", "1.12", "1.13", "1.14")

Judge = Callable[..., dict[str, Any]]


def _pairs() -> Iterator[Any]:
    for case in CASES:
        for minor in MINORS[MINORS.index(case["since"]) :]:
            yield pytest.param(minor, case, id=f"{minor} {case['document'].split()[3]} {case['root']}")


@pytest.mark.parametrize(("minor", "case"), list(_pairs()))
def test_a_pair_is_refused_by_talos_as_by_us(judge: Judge, minor: str, case: dict[str, str]) -> None:
    """The library complains of the two together about something that neither of them has alone."""
    root, document = f"version: v1alpha1\n{case['root']}\n", case["document"]
    alone = _complaints(judge, root) | _complaints(judge, f"machine: {{}}\ncluster: {{}}\n---\n{document}")
    both = _complaints(judge, f"{root}---\n{document}")

    assert bool(both - alone) is (case["verdict"] == "refused")


@pytest.mark.parametrize("minor", MINORS)
def test_kinds_are_known_from_their_release_on(judge: Judge, minor: str) -> None:
    """A release knows the kinds of its row and of older ones, and no others of the table."""
    known = {
        kind for kind in all_kinds() if "not registered" not in _said(judge, f"apiVersion: v1alpha1\nkind: {kind}")
    }
    since = {kind: known_since(kind) for kind in all_kinds()}
    expected = {kind for kind, contract in since.items() if contract and contract <= Contract.parse(minor)}

    assert expected == known


def test_documents_of_control_planes_are_refused_on_workers(judges: Callable[[str], Judge]) -> None:
    """The newest library names the kinds that a worker may not have."""
    text = "machine: {type: worker}\ncluster: {}\n" + "".join(
        f"---\napiVersion: v1alpha1\nkind: {kind}\n" for kind in all_kinds() if kind.startswith("Kube")
    )
    said = judges("1.14")("validate", config=text, mode="cloud")["error"]
    (line,) = re.findall(r"only allowed on control plane machines: \[(.*?)\]", said)

    assert {kind for kind in all_kinds() if is_for_control_planes(kind)} == set(re.findall(r"Kube\w+", line))


def _complaints(judge: Judge, config: str) -> set[str]:
    said = judge("validate", config=config, mode="cloud")["error"]
    return {line.strip() for line in said.splitlines() if line.strip() and "occurred" not in line}


def _said(judge: Judge, config: str) -> str:
    said = judge("encode", config=config).get("error", "")
    assert isinstance(said, str)
    return said
