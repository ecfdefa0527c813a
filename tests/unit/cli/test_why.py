"""`prov why`: from the cluster file to the words, with and without a state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.desk import Desk

from provisioner.model.address import Address
from provisioner.model.state import Entry, LockInfo, Put, Status
from provisioner.model.value import Secret
from provisioner.state.identity import create_identity, find_identity
from provisioner.state.sqlite_store import SqliteStore

PLANTED = "planted-3f9a1c77-key"
INFO = LockInfo("ada", "desk", 4711, "2026-11-24T12:00:00+00:00", "apply")
CLUSTER = """\
version: 1
name: lab
talos: {version: v1.13.9}
kubernetes: {version: v1.36.3}
providers: {sim: {}}
pools:
  control: {role: controlplane, provider: sim, count: 1}
  workers:
    role: worker
    provider: sim
    count: 2
    patches:
      - machine: {sysctls: {vm.max_map_count: "3"}}
patches:
  - all.yaml
  - {inline: {machine: {sysctls: {vm.max_map_count: "2"}}}, role: worker}
  - {inline: {machine: {sysctls: {vm.max_map_count: {$patch: delete}}}}, node: workers-2}
"""
ALL = 'machine:\n  sysctls:\n    vm.max_map_count: "1"\n  token: abc.def\n'


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A cluster that is not born yet."""
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    (tmp_path / "all.yaml").write_text(ALL)
    key = tmp_path / "age.key"
    create_identity(key)
    return Desk(tmp_path, {"HOME": str(tmp_path), "PROV_AGE_KEY_FILE": str(key), "NO_COLOR": "1"}, capsys)


def test_patches_of_every_level_are_told_in_their_order(desk: Desk) -> None:
    expected = """\
machine.sysctls.vm.max_map_count
  "1"   control-1
    set at all.yaml:3
  "3"   workers-1
    set at cluster.yaml:13
    instead of "2", set at cluster.yaml:16
    instead of "1", set at all.yaml:3
  (taken away)   workers-2
    by cluster.yaml:17
    instead of "3", set at cluster.yaml:13
    instead of "2", set at cluster.yaml:16
    instead of "1", set at all.yaml:3
"""
    assert expected == desk.prov("why", "machine.sysctls.vm.max_map_count").stdout


def test_one_node_can_be_asked_about(desk: Desk) -> None:
    expected = """\
machine.ca.crt
  (known after apply)   control-1
    taken from talos.secrets/cluster
machine.ca.key
  (known after apply)   control-1
    taken from talos.secrets/cluster
"""
    assert expected == desk.prov("why", "machine.ca", "--node", "control-1").stdout


def test_what_is_on_record_is_filled_in_and_secrets_stay_hidden(desk: Desk) -> None:
    store = SqliteStore(desk.folder / ".prov" / "lab.db", "lab", lambda: find_identity(desk.environ))
    outputs = {"certs": {"os": {"crt": "CERT", "key": Secret(PLANTED)}}}
    with store.lock(INFO) as fence:
        secrets = Address("talos.secrets", "cluster")
        store.commit([Put(Entry(secrets, 1, "talos", "key-1", Status.READY, outputs=outputs))], fence)
    store.close()

    said = desk.prov("why", "machine.ca", "--node", "control-1")

    assert '"CERT"   control-1' in said.stdout
    assert "(secret)   control-1" in said.stdout
    assert PLANTED not in said.stdout + said.stderr


def test_a_secret_written_in_a_patch_stays_hidden(desk: Desk) -> None:
    said = desk.prov("why", "machine.token")
    assert "(secret)   control-1, workers-1, workers-2\n    set at all.yaml:4" in said.stdout
    assert "abc.def" not in said.stdout


def test_the_answer_as_json(desk: Desk) -> None:
    said = json.loads(desk.prov("why", "machine.sysctls", "--node", "workers-2", "--json").stdout)
    assert {"schema": 1, "path": "machine.sysctls", "contract": "1.13"}.items() <= said.items()
    (answer,) = said["answers"]
    assert {"path": "machine.sysctls", "nodes": ["workers-2"], "value": {}}.items() <= answer.items()
    assert answer["origin"] == "cluster.yaml:17"


def test_a_deletion_as_json(desk: Desk) -> None:
    asked = ("why", "machine.sysctls.vm.max_map_count", "--node", "workers-2", "--json")
    (answer,) = json.loads(desk.prov(*asked).stdout)["answers"]
    assert answer["gone"] == "cluster.yaml:17"
    assert answer["instead_of"][0] == {"value": "3", "origin": "cluster.yaml:13"}


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("machine.sysctl",), "did you mean 'machine.sysctls'?"),
        (("machine.type", "--node", "control-2"), "did you mean 'control-1'?"),
    ],
)
def test_a_mistake_has_a_hint(desk: Desk, args: tuple[str, ...], hint: str) -> None:
    assert hint in desk.prov("why", *args, code=1).stderr


def test_a_document_of_the_newest_release_is_told(desk: Desk) -> None:
    text = CLUSTER.replace("v1.13.9", "v1.14.1").replace("kubernetes: {version: v1.36.3}\n", "")
    patch = '  - {apiVersion: v1alpha1, kind: KubeletConfig, image: "example.org/kubelet:v1.37.0"}\n'
    (desk.folder / "cluster.yaml").write_text(text + patch)
    expected = """\
KubeletConfig.image
  "example.org/kubelet:v1.37.0"   control-1, workers-1, workers-2
    set at cluster.yaml:17
    instead of "ghcr.io/siderolabs/kubelet:v1.37.0", """
    said = desk.prov("why", "KubeletConfig.image").stdout
    assert said.startswith(expected)
    assert said.endswith("generated by prov for contract 1.14, from the release of Kubernetes\n")


def test_settings_of_machines_are_told_like_patches(desk: Desk) -> None:
    (desk.folder / "cluster.yaml").write_text(CLUSTER + "machine: {sysctls: {vm.max_map_count: 5}}\n")
    said = desk.prov("why", "machine.sysctls.vm.max_map_count", "--node", "control-1").stdout
    assert said.endswith('    set at all.yaml:3\n    instead of "5", set at cluster.yaml:18\n')


OPERATIONS = """\
  - inline:
      - {op: add, path: /machine/certSANs/-, value: api.example.org}
      - {op: replace, path: /machine/features/kubePrism/port, value: 7446}
"""


def test_a_json_patch_is_done_on_a_configuration_of_one_document(desk: Desk) -> None:
    text = CLUSTER.replace("v1.13.9", "v1.11.6").replace("kubernetes: {version: v1.36.3}\n", "")
    (desk.folder / "cluster.yaml").write_text(text + OPERATIONS)
    said = desk.prov("why", "machine.features.kubePrism.port", "--node", "control-1").stdout
    assert said.endswith("    set at cluster.yaml:19\n    instead of 7445, generated by prov for contract 1.11\n")


def test_a_json_patch_is_refused_where_there_are_several_documents(desk: Desk) -> None:
    (desk.folder / "cluster.yaml").write_text(CLUSTER + OPERATIONS)
    said = desk.prov("why", "machine.type", code=1).stderr
    assert "a JSON patch does not fit a configuration of several documents\n  at cluster.yaml:19:1\n" in said
    assert "the root document, HostnameConfig" in said
