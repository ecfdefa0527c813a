"""Contracts and the support table."""

from __future__ import annotations

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


@pytest.mark.parametrize(("minor", "network", "url_safe"), [(12, True, True), (13, False, True), (14, False, False)])
def test_contracts_answer_by_release(minor: int, network: bool, url_safe: bool) -> None:
    contract = Contract(1, minor)
    assert (network, url_safe) == (contract.empty_machine_network, contract.url_safe_cluster_id)


def test_support_knows_the_row_of_a_release() -> None:
    row = support_for("v1.13.2")
    assert row is not None
    assert (Contract(1, 13), "v1.36.3", "v1.13.9") == (row.contract, row.kubernetes, row.newest)


@pytest.mark.parametrize("version", ["v1.11.6", "v1.14.0", "v2.13.0", "latest"])
def test_other_releases_are_refused_with_a_way_out(version: str) -> None:
    assert support_for(version) is None
    with pytest.raises(UnsupportedTalos) as caught:
        require(version)
    assert "1.12, 1.13" in caught.value.detail
    assert "v1.13.9" in caught.value.remedy


def test_each_release_has_its_default_kubernetes_inside_its_window() -> None:
    assert [default_kubernetes(talos) for talos in ("v1.12.11", "v1.13.9")] == ["v1.35.4", "v1.36.3"]
    assert all(kubernetes_fits(talos, default_kubernetes(talos)) for talos in ("1.12", "1.13"))


@pytest.mark.parametrize(
    ("talos", "kubernetes", "fits"),
    [
        ("v1.13.9", "v1.31.0", True),
        ("v1.13.9", "1.36.3", True),
        ("v1.13.9", "v1.30.9", False),
        ("v1.13.9", "v1.37.0", False),
        ("v1.12.0", "v1.36.0", False),
        ("v1.13.9", "v1.36.0-rc.1", True),
        ("v1.13.9", "v2.36.0", False),
        ("v1.13.9", "newest", False),
        ("v1.9.6", "v1.32.0", False),
    ],
)
def test_the_kubernetes_window_is_inclusive(talos: str, kubernetes: str, fits: bool) -> None:
    assert fits == kubernetes_fits(talos, kubernetes)
