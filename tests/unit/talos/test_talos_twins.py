"""Settings in their old and their new form: the cases of `tests/cases/twins.yaml`, which the judge knows, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.model.value import Origin, Sourced
from provisioner.talos.config.encode import decode
from provisioner.talos.config.patch import PatchError
from provisioner.talos.config.twins import refuse_twins, twins

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "twins.yaml").read_text())


def _id(case: dict[str, str]) -> str:
    return f"{case['document'].split()[3]} {case['root']}"


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_a_pair_is_judged_as_talos_does(case: dict[str, str]) -> None:
    found = list(twins(decode(f"{case['root']}\n---\n{case['document']}")))
    verdicts = {"beside" if each.meaning else "refused" for each in found} or {"apart"}
    assert {case["verdict"]} == verdicts


def test_there_are_pairs_of_every_sort() -> None:
    counts = {
        verdict: [case["verdict"] for case in CASES].count(verdict) for verdict in ("refused", "beside", "apart")
    }
    assert counts["refused"] >= 40
    assert counts["beside"] >= 12
    assert counts["apart"] >= 10


def test_a_refusal_names_both_forms_and_the_line_of_the_old_one() -> None:
    documents: Any = (
        {"machine": {"kubelet": {"image": Sourced("a", Origin("all.yaml", 7))}}},
        {"apiVersion": "v1alpha1", "kind": "KubeletConfig", "image": "b"},
    )
    with pytest.raises(PatchError) as caught:
        refuse_twins("workers-1", documents)
    assert "workers-1: machine.kubelet beside KubeletConfig" in caught.value.detail
    assert str(caught.value.place) == "all.yaml:7:1"


def test_what_may_stand_side_by_side_is_not_refused() -> None:
    documents: Any = ({"machine": {"sysctls": {"a": "1"}}}, *decode("{apiVersion: v1alpha1, kind: SysctlConfig}"))
    refuse_twins("workers-1", documents)
    assert [each.kind for each in twins(documents)] == ["SysctlConfig"]
