"""Contracts and the support table."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.talos.support import (
    UnsupportedTalos,
    default_kubernetes,
    kubernetes_fits,
    require,
    support_for,
)
from provisioner.talos.versions import Contract


@pytest.mark.parametrize("text", ["v1.13.9", "1.13.9", "1.13", "v1.13", "v1.13.0-rc.1"])
def test_a_contract_is_read_from_any_form_of_a_version(text: str) -> None:
    assert Contract(1, 13) == Contract.parse(text)
    assert str(Contract.parse(text)) == "1.13"


@pytest.mark.parametrize("text", ["", "latest", "v1", "1.x", "1.13rc1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"one looks like v1\.13\.9"):
        Contract.parse(text)


@pytest.mark.parametrize(
    ("question", "minors"),
    [
        ("spells_out_fixed_features", [11]),
        ("names_by_document", [12, 13, 14]),
        ("boots_with_command_line_of_image", [12, 13, 14]),
        ("empty_machine_network", [11, 12]),
        ("kubernetes_by_documents", [14]),
        ("installs_by_document", [14]),
        ("hardens_by_document", [14]),
        ("publishes_installer", [11, 12, 13]),
        ("url_safe_cluster_id", [11, 12, 13]),
    ],
)
def test_contracts_answer_by_release(question: str, minors: list[int]) -> None:
    assert minors == [minor for minor in (11, 12, 13, 14) if getattr(Contract(1, minor), question)]


def test_support_knows_the_row_of_a_release() -> None:
    row = support_for("v1.13.2")
    assert row is not None
    assert (Contract(1, 13), "v1.36.3", "v1.13.9") == (row.contract, row.kubernetes, row.newest)


@pytest.mark.parametrize("version", ["v1.10.9", "v1.15.0", "v2.13.0", "latest"])
def test_other_releases_are_refused_with_a_way_out(version: str) -> None:
    assert support_for(version) is None
    with pytest.raises(UnsupportedTalos) as caught:
        require(version)
    assert "1.11, 1.12, 1.13, 1.14" in caught.value.detail
    assert "v1.14.1" in caught.value.remedy


def test_each_release_has_its_default_kubernetes_inside_its_window() -> None:
    minors = ("1.11", "1.12", "1.13", "1.14")
    assert [default_kubernetes(minor) for minor in minors] == ["v1.34.1", "v1.35.4", "v1.36.3", "v1.37.0"]
    assert all(kubernetes_fits(minor, default_kubernetes(minor)) for minor in minors)


def test_the_reference_tells_of_every_release() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/cluster-file.md").read_text()
    rows = [require(minor) for minor in ("1.11", "1.12", "1.13", "1.14")]
    expected = [
        f"| {row.contract} | 1.{row.kubernetes_min} to 1.{row.kubernetes_max} | {row.kubernetes} |" for row in rows
    ]
    assert expected == [line for line in page.splitlines() if line.startswith("| 1.")]


@pytest.mark.parametrize(
    ("talos", "kubernetes", "fits"),
    [
        ("v1.13.9", "v1.31.0", True),
        ("v1.13.9", "1.36.3", True),
        ("v1.13.9", "v1.30.9", False),
        ("v1.13.9", "v1.37.0", False),
        ("v1.12.0", "v1.36.0", False),
        ("v1.11.6", "v1.29.0", True),
        ("v1.11.6", "v1.35.0", False),
        ("v1.14.1", "v1.32.0", True),
        ("v1.14.1", "v1.31.9", False),
        ("v1.13.9", "v1.36.0-rc.1", True),
        ("v1.13.9", "v2.36.0", False),
        ("v1.13.9", "newest", False),
        ("v1.9.6", "v1.32.0", False),
    ],
)
def test_the_kubernetes_window_is_inclusive(talos: str, kubernetes: str, fits: bool) -> None:
    assert fits == kubernetes_fits(talos, kubernetes)
