"""The size of configurations, foreseen before secrets and addresses are known."""

from __future__ import annotations

import secrets as chance
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from provisioner.cluster.compose import compose
from provisioner.cluster.topology import topology_of
from provisioner.errors import InputError, Problem
from provisioner.model.functions import CORE
from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.model.value import Ref, Secret, Unknown, Value, dig, evaluate, reveal
from provisioner.plugins.registry import Registry
from provisioner.sdk import Address, BootRefs, Design, Machine, Slice, channel
from provisioner.spec.load import load
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.encode import encode
from provisioner.talos.design import secret
from provisioner.talos.pki.bundle import generate, to_tree
from provisioner.talos.provider import provider as talos
from provisioner.talos.size import birth_channel, foreseen_size
from provisioner.talos.versions import Contract

HOST = Ref(Address("lab.balancer", "api"), "host")
AWS = channel("aws")


def node(role: str, *patches: dict[str, Value]) -> Node:
    return Node(name=f"{role}-1", role=role, pool="p", provider="lab", patches=(patches,))  # type: ignore[arg-type]


def made(one: Node, endpoint: Value = HOST, contract: str = "1.13") -> tuple[Value, ...]:
    topology = Topology("demo", (one,), EndpointWish(), TalosWish(f"v{contract}.1", contract, "v1.36.3"))
    return documents(one, topology, endpoint=endpoint, install_disk=None, secrets=secret)


@pytest.fixture(scope="module")
def bundle() -> Value:
    return to_tree(generate(Contract.parse("v1.13.9"), now=datetime.now(UTC), random=chance.token_bytes))


@pytest.mark.parametrize("contract", ["1.11", "1.13", "1.14"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("role", ["controlplane", "worker"])
def test_what_is_foreseen_is_nearly_what_it_becomes(bundle: Value, role: str, packed: bool, contract: str) -> None:
    """Within four percent, as it is and after gzip: bundles differ by as much among themselves."""
    through = evolve(AWS, limit=0 if packed else 1_000_000)
    wanted = made(node(role), contract=contract)

    def lookup(ref: Ref) -> Value:
        return "192.168.100.10" if ref == HOST else dig(bundle, ref.output)

    known = encode(reveal(evaluate(wanted, lookup, {**CORE, **talos.functions})))  # type: ignore[arg-type]
    actual = through.size(through.best(known))

    assert actual == pytest.approx(foreseen_size(wanted, through), rel=0.04)


def test_the_same_is_foreseen_each_time() -> None:
    assert foreseen_size(made(node("worker")), AWS) == foreseen_size(made(node("worker")), AWS)


def test_a_secret_of_the_file_counts_with_its_length() -> None:
    short, long = ({"machine": {"env": {"KEY": Secret(text)}}} for text in ("x", "x" * 101))
    plain = evolve(AWS, limit=1_000_000)
    assert foreseen_size(made(node("worker", long)), plain) - foreseen_size(made(node("worker", short)), plain) == 100


def test_what_is_unknown_is_taken_for_an_address() -> None:
    plain = evolve(AWS, limit=1_000_000)
    known, unknown = (
        foreseen_size(made(node("worker"), host), plain) for host in ("192.168.100.10", Unknown("later"))
    )
    assert known == pytest.approx(unknown, abs=10)


def machine(delivery: str, platform: str) -> Machine:
    address = Address("lab.machine", "a")
    return Machine(address, Ref(address, "host"), Ref(address, "id"), delivery, platform=platform)  # type: ignore[arg-type]


def test_only_what_a_machine_is_born_with_is_limited() -> None:
    assert birth_channel(machine("user_data", "aws")) == AWS
    assert birth_channel(machine("api", "aws")) is None
    assert birth_channel(machine("user_data", "nocloud")) is None
    assert birth_channel(machine("user_data", "a new one")) is None


class Lab:
    """A provider whose machines are born on AWS."""

    name = "lab"
    protocol = 2
    settings = node_options = type("None_", (), {"__attrs_attrs__": ()})
    kinds: dict[str, object] = {}  # noqa: RUF012
    functions: dict[str, object] = {}  # noqa: RUF012

    def connect(self, settings: object) -> None: ...

    def endpoint(self, part: Slice) -> None: ...

    def design(self, part: Slice, boot: BootRefs) -> Design:
        machines = {
            each.name: evolve(machine("user_data", "aws"), host="10.0.0.2", id=each.name)  # type: ignore[arg-type]
            for each in part.nodes
        }
        return Design((), machines)


FILE = """\
version: 1
name: demo
talos: {version: v1.13.9}
endpoint: 10.0.0.1
providers: {lab: {}}
pools:
  control: {role: controlplane, provider: lab, count: 3}
  workers: {role: worker, provider: lab, count: 2}
patches:
  - role: worker
    inline: {machine: {files: [{content: "%s", permissions: 420, path: /var/x, op: create}]}}
  - node: workers-2
    inline: {machine: {files: [{content: "%s", permissions: 420, path: /var/y, op: create}]}}
"""


def problems(folder: Path, all_workers: int, second_worker: int) -> tuple[Problem, ...]:
    """What is wrong with a file whose workers have files of these sizes, which do not compress."""
    file = folder / "cluster.yaml"
    file.write_text(FILE % (chance.token_hex(all_workers), chance.token_hex(second_worker)))
    spec = load(file, variables={}, environ={})
    topology, bindings = topology_of(spec, {})
    try:
        compose(spec, topology, bindings, Registry({}, {"lab": Lab(), "talos": talos}))  # type: ignore[dict-item]
    except InputError as err:
        return err.problems()
    return ()


def test_what_fits_passes(tmp_path: Path) -> None:
    """Ten thousand bytes that do not compress are no problem for a worker."""
    assert problems(tmp_path, 10_000, 10) == ()


def test_what_cannot_fit_is_a_problem_of_the_plan(tmp_path: Path) -> None:
    """It stands at the pool, names the node, the size and the limit, and is told once for nodes that are alike."""
    (found,) = problems(tmp_path, 20_000, 10)[:1]
    assert (found.code, found.place.file.rpartition("/")[2]) == ("config-size", "cluster.yaml")
    assert found.detail.startswith("workers-1 has 2")
    assert found.detail.endswith(" bytes after gzip; user-data of the instance on aws takes 16384")
    assert "maintenance API" in found.remedy


def test_a_node_of_its_own_kind_is_looked_at_by_itself(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, 10, 20_000)
    assert found.detail.startswith("workers-2 has ")


def test_settings_of_its_own_count_as_well(tmp_path: Path) -> None:
    """They become a part of the configuration like patches."""
    file = tmp_path / "cluster.yaml"
    own = f"nodes: {{workers-2: {{machine: {{environment: {{KEY: {chance.token_hex(20_000)}}}}}}}}}\n"
    file.write_text(FILE % ("", "") + own)
    spec = load(file, variables={}, environ={})
    topology, bindings = topology_of(spec, {})
    with pytest.raises(InputError) as caught:
        compose(spec, topology, bindings, Registry({}, {"lab": Lab(), "talos": talos}))  # type: ignore[dict-item]
    (found,) = caught.value.problems()
    assert found.detail.startswith("workers-2 has ")
