"""The provider keeps the rules of the house, on a computer whose processes are only written down."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from attrs import frozen
from prov_qemu import provider as qemu_provider
from prov_qemu.computer import Computer

from provisioner.conformance.back_end import BackEnd, Fault
from provisioner.conformance.kind_suite import KindSuite, Sample
from provisioner.conformance.provider_suite import ProviderSuite, Shape
from provisioner.sdk import Address, Ref, Secret

_KINDS = ("network", "address", "image", "disk", "machine")
_ERRORS = {"denied": errno.EACCES, "quota": errno.ENOSPC}


@frozen
class QemuRemote(BackEnd):
    """The computer, looked at past the provider."""

    bench: Any

    def existing(self) -> frozenset[str]:
        computer, looks = self.bench.computer, self.bench.looks
        found = frozenset(record.id for kind in _KINDS for record in computer.records.all(kind))
        self.bench.looks = looks
        return found

    def requests(self) -> int:
        return int(self.bench.looks + self.bench.changes)

    def writes(self) -> int:
        return int(self.bench.changes)

    def lose(self, id_: str) -> None:
        records = self.bench.computer.records
        for record in (record for kind in _KINDS for record in records.all(kind)):
            if record.id == id_:
                self.bench.computer.processes.kill(records.folder(record))
                records.remove(record)

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        if verb == "update" and kind not in ("qemu.network", "qemu.machine"):
            return False
        what = "look" if verb == "read" else "change"
        self.bench.fails[what] = OSError(_ERRORS[fault], "made to fail", "/a/file")
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        raise NotImplementedError
        yield

    def pass_time(self, seconds: float) -> None:
        self.bench.computer.monitors.passes()

    def shown(self) -> str:
        return "\n".join(str(record) for kind in _KINDS for record in self.bench.computer.records.all(kind))


def _ref(kind: str, output: str) -> Ref:
    return Ref(Address(f"qemu.{kind}", "one"), output)


class TestQemu(ProviderSuite, KindSuite):
    """The provider and its kinds."""

    provider = qemu_provider
    shape = Shape(size="small")
    cannot: ClassVar[Mapping[str, str]] = {
        "credentials": "a computer of one's own needs none",
        "throttled": "a computer counts no calls",
        "conflict": "records are never busy with something else",
        "timeout": "files answer, or there is no computer",
        "lost": "files answer, or there is no computer",
        "silence": "files answer, or there is no computer",
    }
    samples: ClassVar[Mapping[str, Sample]] = {
        "qemu.network/one": Sample({"cluster": "demo", "name": "one"}, changed={"link": "down"}),
        "qemu.address/one": Sample({"cluster": "demo", "name": "one", "network": _ref("network", "name")}),
        "qemu.image/one": Sample({"cluster": "demo", "name": "one", "source": "file:///dev/null"}),
        "qemu.disk/one": Sample({"cluster": "demo", "name": "one", "size_gib": 2}),
        "qemu.machine/one": Sample(
            {
                "cluster": "demo",
                "name": "one",
                "address": "one",
                "ip": _ref("address", "ip"),
                "host": _ref("address", "host"),
                "cpus": 2,
                "memory_mib": 1024,
                "disks": (_ref("disk", "path"),),
                "user_data": Secret("planted-user-data"),
            },
            changed={"cpus": 4, "memory_mib": 2048, "accelerator": "tcg", "power": "off"},
        ),
        "qemu.capacity/one": Sample(
            {"cluster": "demo", "machines": {"one": {"cpus": 2, "memory_mib": 1024, "disk_gib": 10}}}
        ),
    }

    @pytest.fixture
    def cloud(self, bench: Any, monkeypatch: pytest.MonkeyPatch) -> QemuRemote:
        return QemuRemote(bench)

    @pytest.fixture
    def connect(self, bench: Any) -> Callable[[], Computer]:
        return lambda: bench.computer
