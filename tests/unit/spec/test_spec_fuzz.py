"""Whatever stands in a file, the answer is a spec or an InputError whose problems can be shown."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.errors import InputError
from provisioner.spec.load import load

GOOD = b"""\
version: 1
name: demo
variables:
  workers: {type: int, default: 2}
  zones: &zones {type: list, default: [a, b]}
talos: {version: v1.13.9, extensions: [siderolabs/iscsi-tools]}
kubernetes: {version: v1.36.3, pod_subnets: [10.42.0.0/16], cni: none}
providers:
  sim: {time_scale: 0.1, token: "${env.TOKEN}"}
endpoint: auto
machine:
  links: {eth0: {select: {mac: "00:1a:2b:3c:4d:5e"}, routes: [{via: 10.0.0.1}], dhcp: true}}
  vlans: {eth0.7: {link: eth0, id: 7}}
  volumes: {user: {data: {disk: {size: ">= 1GB"}, max_size: 80%, encryption: {keys: [{tpm: {}}]}}}}
  registries: {auth: {ghcr.io: {username: a, password: "${env.TOKEN}"}}}
  time: {servers: "${var.zones}"}
nodes: {workers-1: {machine: {vlans: {eth0.7: {addresses: [10.7.0.1/24]}}}}}
pools:
  control: {role: controlplane, provider: sim, count: 3, zones: "${var.zones}"}
  workers: {role: worker, provider: sim, count: "${var.workers + 1}", without: [workers-2], patches: [all.yaml]}
patches:
  - all.yaml
  - {file: all.yaml, role: worker, expand: true}
  - machine: {nodeLabels: {a: "${nodes.control-1.ip}"}}
resources:
  disk: {kind: sim.disk, props: {name: "x-${var.workers}"}, after: [nodes.control-1], protect: true}
  old: {kind: sim.disk, lifecycle: {replace: create_first, ignore: [props.name.0]}, import: "${var.workers + 1}x"}
moved: [{from: resources.a, to: sim.disk/b}, {from: sim.disk/b, to: resources.disk}]
outputs:
  url: 'https://${nodes["control-1"].ip}:6443/${resources.disk.id}'
  copy: *zones
"""
PATCH = (
    b"machine:\n  sysctls: {a: '1'}\n  files: [{path: /x, permissions: 0o644}]\n---\napiVersion: v1alpha1\nkind: A\n"
)
PIECES = (
    *(bytes([char]) for char in b"\t\n \"'#&*!|>%@`[]{}:,-?~\\$0a"),
    *(b"${", b"}", b"$${", b"${var.", b"${env.", b"<<: ", b"--- ", b"...\n", b"*zones", b"&x ", b"!!str ", b"!x "),
    *(b"null", b"true", b"~", b"0644", b"1e999", b"9" * 30, b"[[[[", b"{}", b"[]", b"%YAML 9\n"),
    *(b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\\U00110000", b"\\ud800", b"\\x"),
)


def _survives(cluster: bytes, patch: bytes = PATCH) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cluster.yaml")
        path.write_bytes(cluster)
        Path(folder, "all.yaml").write_bytes(patch)
        try:
            spec = load(path, variables={}, environ={"TOKEN": "hunter2"})
        except InputError as err:
            for problem in err.problems():
                assert problem.code
                assert problem.summary
                assert problem.place.file
                "".join((problem.detail, problem.remedy)).encode()
                assert "hunter2" not in repr(problem)
        else:
            repr(spec).encode()
            assert len(spec.digest) == 64


@st.composite
def _mutated(draw: st.DrawFn, base: bytes) -> bytes:
    text = base
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from((0, 0, 1, 2, 5, 20)))
        text = text[:start] + draw(st.sampled_from(PIECES)) + text[start + length :]
    return text


def test_the_file_that_is_mutated_is_good_itself() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cluster.yaml").write_bytes(GOOD)
        Path(folder, "all.yaml").write_bytes(PATCH)
        assert load(Path(folder, "cluster.yaml"), variables={}, environ={"TOKEN": "x"}).name == "demo"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    _survives(data)


@settings(max_examples=250, deadline=None)
@given(_mutated(GOOD))
def test_a_damaged_cluster_file(data: bytes) -> None:
    _survives(data)


@settings(max_examples=60, deadline=None)
@given(_mutated(PATCH))
def test_a_damaged_patch(data: bytes) -> None:
    _survives(GOOD, data)


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=40), st.sampled_from(("name: demo", "v1.13.9", "v1.36.3", "auto", "workers-2", "sim.disk", "x-"))
)
def test_any_text_in_any_place(text: str, place: str) -> None:
    quoted = "'" + "".join(char for char in text if char.isprintable()).replace("'", "''") + "'"
    into = f"name: {quoted}" if place == "name: demo" else quoted
    _survives(GOOD.replace(place.encode(), into.encode(), 1))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="varenodsucl.[]\"'{}$+-*/?:1 ()=!<>&|\\\n", max_size=40))
def test_any_expression(source: str) -> None:
    quoted = '"' + ("${" + source + "}").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    _survives(GOOD + b"  more: " + quoted.encode() + b"\n")
