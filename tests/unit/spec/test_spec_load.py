"""Good cluster files: what they come to, and what their digest depends on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.errors import InputError
from provisioner.model.address import Address
from provisioner.model.value import Call, Origin, Ref, Secret, Sourced
from provisioner.spec.load import load
from provisioner.spec.references import ENDPOINT
from provisioner.spec.schema import ClusterSpec

QUICK_START = Path(__file__).parents[3] / "examples" / "first-cluster" / "cluster.yaml"

SMALL = """\
version: 1
name: demo
talos: {version: v1.13.9}
providers: {sim: {}}
pools:
  control: {role: controlplane, count: 3}
"""

WHOLE = """\
version: 1
name: demo
variables:
  workers: {type: int, default: 2}
  env:     {type: string, default: dev}
  region:  {type: string, env: REGION}
  zones:   {type: list, default: [a, b]}
talos: {version: v1.13.9, extensions: [siderolabs/iscsi-tools]}
kubernetes: {version: v1.36.3}
providers:
  sim: {time_scale: 0.1, region: "${env.REGION}", token: "${env.TOKEN}", balancer: "${resources.disk.id}"}
  rack-a: {type: sim}
endpoint: https://k8s.example.org:6443
pools:
  control: {role: controlplane, provider: sim, count: 3, zones: "${var.zones}", size: "${var.env}-large"}
  workers:
    role: worker
    provider: rack-a
    count: "${var.workers + 1}"
    without: [workers-2]
    disk: 20
    tags: {env: "${var.env}", net: "${resources.disk.net}"}
    patches: [{inline: {machine: {nodeLabels: {gpu: "yes"}}}}]
patches:
  - patches/all.yaml
  - {file: patches/all.yaml, role: worker, expand: true}
  - {inline: {machine: {env: {TOKEN: "${env.TOKEN}", HOST: "${nodes.control-1.ip}"}}}, node: control-1}
resources:
  disk:
    kind: sim.disk
    provider: sim
    props: {name: "demo-${var.env}-etcd", size: 10}
    after: [nodes.control-1, sim.machine/control-2]
    protect: true
outputs:
  url: "https://${nodes.control-1.ip}:6443"
  api: "${cluster.endpoint}"
"""
PATCH = "machine:\n  sysctls:\n    a: ${var.env}\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: 'off'\n"


def _load(folder: Path, text: str, environ: dict[str, str] | None = None, **variables: str) -> ClusterSpec:
    (folder / "cluster.yaml").write_text(text)
    return load(folder / "cluster.yaml", variables=variables, environ=environ or {})


@pytest.fixture
def whole(tmp_path: Path) -> ClusterSpec:
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches" / "all.yaml").write_text(PATCH)
    return _load(tmp_path, WHOLE, {"REGION": "eu", "TOKEN": "hunter2"})


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    spec = _load(tmp_path, SMALL)
    assert spec.endpoint == "auto"
    assert spec.kubernetes.version is None
    assert tuple(pool.provider for pool in spec.pools) == ("sim",)
    assert (spec.patches, spec.resources, spec.outputs) == ((), (), {})


def test_pools_have_names_counts_and_options(whole: ClusterSpec) -> None:
    control, workers = whole.pools
    assert control.nodes == ("control-1", "control-2", "control-3")
    assert (control.zones, control.size) == (("a", "b"), "dev-large")
    assert workers.nodes == ("workers-1", "workers-3")
    assert {"disk": 20, "tags": {"env": "dev", "net": Ref(Address("sim.disk", "disk"), "net")}} == workers.options
    assert workers.places["disk"].line == 21


def test_providers_have_types_and_settings_with_references(whole: ClusterSpec) -> None:
    assert {name: block.type for name, block in whole.providers.items()} == {"sim": "sim", "rack-a": "sim"}
    settings = whole.providers["sim"].settings
    assert ("eu", Ref(Address("sim.disk", "disk"), "id")) == (settings["region"], settings["balancer"])
    assert isinstance(settings["token"], Secret)


def test_resources_have_props_and_edges(whole: ClusterSpec) -> None:
    (disk,) = whole.resources
    assert disk.props == {"name": "demo-dev-etcd", "size": 10}
    assert (Address("cluster.node", "control-1"), Address("sim.machine", "control-2")) == disk.after
    assert disk.protect
    assert disk.places["size"].line == 32


def test_outputs_are_values(whole: ClusterSpec) -> None:
    host = Ref(Address("cluster.node", "control-1"), "host")
    assert {"url": Call("concat", ("https://", host, ":6443")), "api": ENDPOINT} == whole.outputs


def test_patch_files_are_literal_unless_expanded_and_every_leaf_has_its_origin(whole: ClusterSpec) -> None:
    literal, expanded, _ = whole.patches
    origin = Origin("patches/all.yaml", 3)
    assert {"machine": {"sysctls": {"a": Sourced("${var.env}", origin)}}} == literal.documents[0]
    assert {"machine": {"sysctls": {"a": Sourced("dev", origin)}}} == expanded.documents[0]
    assert Sourced("HostnameConfig", Origin("patches/all.yaml", 6)) == literal.documents[1]["kind"]
    assert (literal.role, expanded.role) == (None, "worker")


def test_patches_in_the_file_are_expanded_and_know_their_line(whole: ClusterSpec) -> None:
    inline = whole.patches[2]
    assert inline.node == "control-1"
    assert inline.documents[0] == {
        "machine": {
            "env": {
                "TOKEN": Sourced(Secret("hunter2"), Origin("cluster.yaml", 27)),
                "HOST": Ref(Address("cluster.node", "control-1"), "host"),
            }
        }
    }
    (pool_patch,) = whole.pools[1].patches
    assert {"machine": {"nodeLabels": {"gpu": Sourced("yes", Origin("cluster.yaml", 23))}}} == pool_patch.documents[0]


def test_no_secret_prints(whole: ClusterSpec) -> None:
    assert "hunter2" not in repr(whole)


@pytest.mark.parametrize(
    ("workers", "variables", "environ"),
    [
        (2, {}, {}),
        (3, {}, {"WORKERS": "3"}),
        (4, {}, {"WORKERS": "3", "PROV_VAR_workers": "4"}),
        (5, {"workers": "5"}, {"WORKERS": "3", "PROV_VAR_workers": "4"}),
    ],
)
def test_the_nearest_source_gives_a_variable_its_value(
    workers: int, variables: dict[str, str], environ: dict[str, str], tmp_path: Path
) -> None:
    text = SMALL + "variables: {workers: {type: int, default: 2, env: WORKERS}}\n"
    assert {"workers": workers} == _load(tmp_path, text, environ, **variables).variables


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("3", "string", "3"),
        ("", "string", ""),
        (-3, "int", "-3"),
        (0.5, "number", "0.5"),
        (3, "number", "3"),
        (True, "bool", "true"),
        (("a", "b"), "list", "a, b"),
        ((), "list", ""),
    ],
)
def test_values_from_outside_are_read_by_the_declared_type(
    value: object, kind: str, text: str, tmp_path: Path
) -> None:
    found = _load(tmp_path, f"{SMALL}variables: {{it: {{type: {kind}}}}}\n", it=text).variables["it"]
    assert (value, type(value)) == (found, type(found))


def test_the_digest_ignores_comments_order_and_places(tmp_path: Path) -> None:
    first = _load(tmp_path, SMALL).digest
    name, rest = "name: demo\n", SMALL.replace("name: demo\n", "")
    assert first == _load(tmp_path, "# a comment\n\n" + rest + name).digest
    assert len(first) == 64


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("count: 3", "count: 5"),
        SMALL.replace("sim: {}", "sim: {seed: 1}"),
        SMALL + "outputs: {a: 1}\n",
        SMALL + 'outputs: {a: "${cluster.endpoint}"}\n',
        SMALL + 'outputs: {a: "${nodes.control-1.ip}"}\n',
        SMALL + "patches: [{machine: {}}]\n",
    ],
)
def test_the_digest_depends_on_what_is_wanted(text: str, tmp_path: Path) -> None:
    assert _load(tmp_path, SMALL).digest != _load(tmp_path, text).digest


def test_the_digest_depends_on_patch_files_and_secrets(tmp_path: Path) -> None:
    (tmp_path / "patches").mkdir()
    patch = tmp_path / "patches" / "all.yaml"
    digests = set()
    for content, token in ((PATCH, "a"), (PATCH, "b"), (PATCH + "hostname: x\n", "a")):
        patch.write_text(content)
        digests.add(_load(tmp_path, WHOLE, {"REGION": "eu", "TOKEN": token}).digest)
    assert len(digests) == 3


@pytest.mark.parametrize(
    "endpoint", ["auto", "10.0.0.5", "k8s", "k8s.example.org", "2001:db8::1", "https://[::1]:6443"]
)
def test_endpoints_of_every_form_are_taken(endpoint: str, tmp_path: Path) -> None:
    assert endpoint == _load(tmp_path, f'{SMALL}endpoint: "{endpoint}"\n').endpoint


@pytest.mark.parametrize(
    "endpoint", ["10.0.0", "http://a", "a b", "https://a:0", "https://a/b", "-a", "fe80::1%eth0"]
)
def test_other_endpoints_are_refused(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _load(tmp_path, f'{SMALL}endpoint: "{endpoint}"\n')
    assert [problem.code for problem in caught.value.problems()] == ["endpoint"]


def test_a_pool_without_nodes_is_allowed_for_workers(tmp_path: Path) -> None:
    spec = _load(tmp_path, SMALL + "  workers: {role: worker, count: 0}\n")
    assert tuple(pool.nodes for pool in spec.pools if pool.role == "worker") == ((),)


def test_a_file_may_have_resources_only(tmp_path: Path) -> None:
    """Without any key that speaks of a cluster there is none, and no provider is needed for what is built in."""
    text = 'version: 1\nname: demo\nresources:\n  a: {kind: core.value, props: {value: "${cluster.name}"}}\n'

    spec = _load(tmp_path, text)

    assert spec.talos is None
    assert spec.pools == ()
    assert spec.providers == {}
    assert [(block.provider, block.props) for block in spec.resources] == [("core", {"value": "demo"})]


def test_places_are_relative_to_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    for standing, shown in ((tmp_path, "sub/cluster.yaml"), (tmp_path / "sub", "cluster.yaml")):
        monkeypatch.chdir(standing)
        assert shown == _load(tmp_path / "sub", SMALL).talos.place.file
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert str(tmp_path / "sub" / "cluster.yaml") == _load(tmp_path / "sub", SMALL).talos.place.file


def test_the_quick_start_file_is_good() -> None:
    spec = load(QUICK_START, variables={"workers": "3"}, environ={})
    assert {pool.name: len(pool.nodes) for pool in spec.pools} == {"control": 3, "workers": 3}


def test_reading_a_file_loads_nothing_heavy() -> None:
    source = (
        "import sys\n"
        "from pathlib import Path\n"
        "from provisioner.spec.load import load\n"
        "from provisioner.cluster.topology import topology_of\n"
        f"spec = load(Path({str(QUICK_START)!r}), variables={{}}, environ={{}})\n"
        "topology_of(spec, {})\n"
        "print(*{'cryptography', 'grpclib', 'httpx', 'cel', 'rich', 'google', 'asyncio'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
