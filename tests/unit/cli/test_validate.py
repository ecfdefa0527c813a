"""`prov validate`: what is an error, what is a warning, and who takes one for the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.desk import Desk

CLUSTER = """\
version: 1
name: lab
talos: {version: v1.13.9}
kubernetes: {version: v1.36.3}
providers: {sim: {}}
pools:
  control: {role: controlplane, provider: sim, count: 2}
  workers: {role: worker, provider: sim, count: 1}
patches:
  - machine: {kubelet: {image: example.org/kubelet:latest}}
"""


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A cluster that can be made, with two things that look wrong."""
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    return Desk(tmp_path, {"HOME": str(tmp_path), "NO_COLOR": "1"}, capsys)


def test_warnings_are_talk_and_change_no_exit_code(desk: Desk) -> None:
    expected = """\
warning: an even number of control planes bears no more losses  (even-control-planes)
  at cluster.yaml:7:48
  there are 2, and etcd stops when 1 of them are gone
  hint: make it 1 or 3
warning: an image is not pinned to a release  (floating-tag)
  at cluster.yaml:10:1
  machine.kubelet.image is example.org/kubelet:latest (control-1, control-2, workers-1)
  hint: name a release, such as `:v1.2.3`, or a digest
"""
    said = desk.prov("validate")
    assert expected == said.stderr
    assert said.stdout == "cluster.yaml is valid: cluster lab, 10 resources\n"


def test_strict_takes_warnings_for_errors(desk: Desk) -> None:
    said = desk.prov("validate", "--strict", code=1)
    assert said.stderr.count("error: ") == 2
    assert said.stdout == ""


def test_a_rule_is_ignored_by_its_code(desk: Desk) -> None:
    said = desk.prov("validate", "--strict", "--ignore", "floating-tag", "--ignore", "even-control-planes")
    assert said.stderr == ""


def test_a_rule_that_does_not_exist_is_refused(desk: Desk) -> None:
    assert "did you mean 'floating-tag'?" in desk.prov("validate", "--ignore", "floating-tags", code=1).stderr


def test_warnings_as_json(desk: Desk) -> None:
    said = json.loads(desk.prov("validate", "--json").stdout)
    assert said["valid"] is True
    assert [warning["code"] for warning in said["warnings"]] == ["even-control-planes", "floating-tag"]


def test_what_talos_refuses_is_an_error_beside_the_warnings(desk: Desk) -> None:
    newer = "  - {apiVersion: v1alpha1, kind: SysctlConfig, params: {a: '1'}}\n"
    (desk.folder / "cluster.yaml").write_text(CLUSTER + newer)
    said = desk.prov("validate", code=1)
    assert said.stderr.count("warning: ") == 2
    assert "error: a document is newer than the nodes\n  at cluster.yaml:11:1\n" in said.stderr


def test_a_file_without_a_cluster_has_nothing_to_warn_of(desk: Desk) -> None:
    (desk.folder / "cluster.yaml").write_text(
        "version: 1\nname: lab\nresources: {a: {kind: core.value, props: {value: 1}}}\n"
    )
    said = desk.prov("validate")
    assert (said.stderr, said.stdout) == ("", "cluster.yaml is valid: cluster lab, 1 resources\n")
