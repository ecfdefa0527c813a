"""What machines, images and disks do where something goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import define, evolve
from prov_qemu import provider
from prov_qemu.facts import Measure

from provisioner.conformance.fakes import FakeContext
from provisioner.sdk import (
    Absent,
    Address,
    Done,
    Fatal,
    Job,
    OperatorNeeded,
    Pending,
    Seen,
)

LINEAGE = "01k0aaaaaaaaaaaaaaaaaaaaaa"
MACHINE: dict[str, Any] = {
    "cluster": "demo", "name": "one", "address": "one", "ip": "10.5.0.10", "cpus": 2, "memory_mib": 1024,
}  # fmt: skip


@define
class Life:
    """Objects on one computer, made and changed as the engine does it."""

    bench: Any
    process: FakeContext

    def job(self, kind: str, key: str, props: Mapping[str, Any] | None, **more: Any) -> Job[Any, Any]:
        wanted = provider.kinds[f"qemu.{kind}"].props(**props) if props is not None else None
        return Job(key, 1, Address(f"qemu.{kind}", "one"), wanted=wanted, lineage=LINEAGE, **more)

    def once(self, verb: str, job: Job[Any, Any]) -> Any:
        kind: Any = provider.kinds[job.address.kind]
        return getattr(kind, verb)(self.bench.computer, job, self.process.about(job.key))

    def finish(self, verb: str, job: Job[Any, Any]) -> Any:
        for _ in range(100):
            answer = self.once(verb, job)
            if isinstance(answer, Done):
                return answer.outputs
            job = evolve(job, phase=answer.phase, memo=answer.memo, id=answer.id or job.id)
            self.process.clock.passes(answer.after_s)
            self.process.run_tasks()
            self.bench.computer.monitors.passes()
        raise AssertionError("it does not come to an end")

    def read(self, job: Job[Any, Any]) -> Any:
        kind: Any = provider.kinds[job.address.kind]
        return kind.read(self.bench.computer, [job], self.process.about(""))[job.key]

    def machine(self, network: Mapping[str, Any] | None = None, **more: Any) -> Job[Any, Any]:
        """A job about a machine whose network, addresses and disk are there."""
        wanted = network or {"cluster": "demo", "name": "net"}
        self.finish("create", self.job("network", "network-key", wanted))
        props = {"cluster": "demo", "name": "one", "network": "net"}
        address = self.finish("create", self.job("address", "address-key", props))
        disk = self.finish("create", self.job("disk", "disk-key", {"cluster": "demo", "name": "one", "size_gib": 1}))
        return self.job("machine", "machine-key", {**MACHINE, "host": address.host, "disks": (disk.path,), **more})


@pytest.fixture
def life(bench: Any) -> Life:
    return Life(bench, FakeContext())


def test_a_killed_machine_is_switched_off_and_comes_up_again_by_an_update(life: Life) -> None:
    """It keeps its identity, its files and its address."""
    job = life.machine()
    made = life.finish("create", job)
    folder = life.bench.computer.place.folder("machine", "demo", "one")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "qemu.log"}
    life.bench.computer.processes.kill(folder)
    off = life.read(job)
    again = life.finish("update", job)

    assert off.props["power"] == "off"
    assert again == made
    assert life.read(job).props["power"] == "on"
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "qemu.log"} == before


def test_a_machine_that_does_not_start_says_why_and_may_be_tried_again(life: Life) -> None:
    """What qemu said is told once; the next run starts it anew."""
    job = life.machine()
    life.bench.computer.processes.dies = "qemu: Could not set up host forwarding rule"
    with pytest.raises(OperatorNeeded) as caught:
        life.finish("create", job)
    life.bench.computer.processes.dies = ""

    assert "Could not set up host forwarding rule" in caught.value.detail
    assert life.finish("create", job).ip == "10.5.0.10"


def test_a_machine_that_stands_still_is_told_to_go_on_once(life: Life) -> None:
    """qemu stops a machine when the disk below it is full. If it stops again, a person has to make room."""
    job = life.machine()
    life.finish("create", job)
    life.bench.computer.monitors.status = "io-error"
    halted = life.read(job).props["power"]
    for _ in range(2):
        with pytest.raises(OperatorNeeded) as caught:
            life.finish("update", job)
    life.bench.computer.monitors.status, life.bench.computer.monitors.after_cont = "io-error", "running"
    life.finish("update", job)

    assert halted == "halted"
    assert "make room" in caught.value.remedy
    assert life.read(job).props["power"] == "on"


def test_a_machine_that_does_not_go_when_it_is_told_is_ended_after_its_time(life: Life) -> None:
    job = life.machine()
    life.finish("create", job)
    life.bench.computer.monitors.deaf = True
    began = life.process.clock.now()
    life.finish("update", life.machine(power="off"))

    assert 60 <= (life.process.clock.now() - began).total_seconds() < 65
    assert life.read(job).props["power"] == "off"


def test_a_machine_that_would_not_fit_is_not_started(life: Life) -> None:
    job = life.machine()
    life.bench.computer.facts.there = Measure(cpus=8, memory_mib=1023, room_mib=1)
    with pytest.raises(OperatorNeeded) as caught:
        life.finish("create", job)

    assert "needs 1024 MiB, and 1023 MiB are free" in caught.value.detail
    assert life.bench.computer.place.folder("machine", "demo", "one") not in life.bench.computer.processes.starts


def test_without_qemu_nothing_is_begun(life: Life) -> None:
    job = life.machine()
    life.bench.computer.facts.lacks = "qemu-system-x86_64"
    before = life.bench.changes
    with pytest.raises(OperatorNeeded) as caught:
        life.once("create", job)

    assert "apt install" in caught.value.remedy
    assert life.bench.changes == before


def test_kvm_is_tried_out_once(life: Life) -> None:
    job = life.machine()
    first = life.once("create", job)
    life.finish("create", job)
    command = life.bench.computer.processes.commands[life.bench.computer.place.folder("machine", "demo", "one")]

    assert isinstance(first, Pending)
    assert first.note == "tries out whether KVM works here"
    assert life.bench.computer.accelerators.found == "tcg"
    assert any(word.startswith("tcg") for word in command)


def test_the_capacity_of_machines_that_run_is_not_asked_for_again(life: Life) -> None:
    """The cluster stands, with all memory taken: its check still passes."""
    life.finish("create", life.machine())
    life.bench.computer.facts.there = Measure(cpus=2, memory_mib=0, room_mib=0)
    machines = {"one": {"cpus": 2, "memory_mib": 1024, "disk_gib": 1}}
    answer = life.once("check", life.job("capacity", "k", {"cluster": "demo", "machines": machines}))

    assert isinstance(answer, Done)


def test_an_image_with_another_checksum_is_refused_and_not_kept(life: Life, tmp_path: Any) -> None:
    source = tmp_path / "talos.raw"
    source.write_bytes(b"damaged")
    props = {"cluster": "demo", "name": "talos", "source": str(source), "sha256": "0" * 64}
    with pytest.raises(OperatorNeeded):
        life.finish("create", life.job("image", "image-key", props))

    assert life.read(life.job("image", "image-key", None)) == Absent()


@pytest.mark.parametrize("kind", ["image", "disk"])
def test_what_lost_its_file_is_absent_and_can_be_made_anew(life: Life, tmp_path: Any, kind: str) -> None:
    source = tmp_path / "talos.raw"
    source.write_bytes(b"image")
    props: dict[str, dict[str, Any]] = {
        "image": {"cluster": "demo", "name": "one", "source": str(source)},
        "disk": {"cluster": "demo", "name": "one", "size_gib": 1},
    }
    first = life.job(kind, "first-key", props[kind])
    made = life.finish("create", first)
    life.bench.computer.place.folder(kind, "demo", "one").joinpath(made.path).unlink()
    lost = life.read(first)
    second = life.job(kind, "second-key", props[kind])
    life.finish("create", second)

    assert lost == Absent()
    assert isinstance(life.read(second), Seen)


def test_two_clusters_have_the_same_addresses_inside_and_others_here(life: Life) -> None:
    hosts: list[str] = []
    for cluster in ("demo", "other"):
        life.finish("create", life.job("network", f"n-{cluster}", {"cluster": cluster, "name": "net"}))
        props = {"cluster": cluster, "name": "one", "network": "net"}
        address = life.finish("create", life.job("address", f"a-{cluster}", props))
        hosts.append(address.host)
        assert address.ip == "10.5.0.10"

    assert len(set(hosts)) == 2


def test_a_raw_disk_cannot_begin_as_an_image(life: Life) -> None:
    props = {"cluster": "demo", "name": "one", "size_gib": 1, "format": "raw", "backing": "/images/talos"}
    with pytest.raises(Fatal):
        life.once("create", life.job("disk", "disk-key", props))


def test_on_a_bridge_a_machine_has_one_address_and_no_way_out_of_its_own(life: Life) -> None:
    """The bridge has to be there; a machine is told its fixed address, and hung on the bridge by a script."""
    props = {"cluster": "demo", "name": "net", "bridge": "br7", "subnet": "10.77.0.0/24"}
    network = life.job("network", "network-key", props)
    with pytest.raises(OperatorNeeded) as caught:
        life.finish("create", network)
    life.bench.computer.facts.bridges.add("br7")
    job = life.machine(ip="10.77.0.10", network=props)
    made = life.finish("create", job)
    folder = life.bench.computer.place.folder("machine", "demo", "one")
    command = " ".join(life.bench.computer.processes.commands[folder])

    assert "ip link add br7 type bridge" in caught.value.remedy
    assert (made.ip, made.host) == ("10.77.0.10", "10.77.0.10")
    assert "user,id=out" not in command
    assert f"script={folder}/attach" in command
    assert "master br7" in (folder / "attach").read_text()
    assert b"address: 10.77.0.10/24" in (folder / "configuration.iso").read_bytes()
    assert life.read(network).props["link"] == "up"
