"""A computer to test with: real records and files, and processes, disks and monitors that are only written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from prov_qemu.computer import Computer
from prov_qemu.facts import Measure
from prov_qemu.image.disks import Backing
from prov_qemu.machine.monitor import NoAnswer
from prov_qemu.machine.tools import Tools
from prov_qemu.place import Place
from prov_qemu.processes import LOG
from prov_qemu.records import Records

from provisioner.sdk import Downloads

Witness = Callable[[str], None]


@define
class FakeProcesses:
    """Processes that live as long as nobody ends them. `dies` says what the next ones die of at once."""

    witness: Witness
    commands: dict[Path, Sequence[str]] = field(factory=dict)
    starts: list[Path] = field(factory=list)
    dies: str = ""

    def start(self, folder: Path, command: Sequence[str], cwd: Path) -> bool:
        self.witness("change")
        if folder in self.commands:
            return False
        self.starts.append(folder)
        (folder / LOG).write_text(self.dies)
        if not self.dies:
            self.commands[folder] = command
        return True

    def alive(self, folder: Path) -> bool:
        self.witness("look")
        return folder in self.commands

    def kill(self, folder: Path) -> None:
        self.witness("change")
        self.commands.pop(folder, None)


@define
class FakeMonitors:
    """Monitors of the processes that live; one that is told to switch off does so when time passes."""

    processes: FakeProcesses
    going: list[Path] = field(factory=list)
    deaf: bool = False
    status: str = "running"
    after_cont: str = ""

    def ask(self, folder: Path, socket: str, order: str, /, **arguments: Any) -> Any:
        wanted = f"socket,id=monitor,server=on,wait=off,path={socket}"
        found = [each for each, words in self.processes.commands.items() if wanted in words]
        if not found:
            raise NoAnswer(f"nobody listens at {socket}")
        if order == "system_powerdown" and not self.deaf:
            self.processes.witness("change")
            self.going += found
        if order == "cont":
            self.status = self.after_cont or self.status
        return {"status": self.status}

    def passes(self) -> None:
        for folder in self.going:
            self.processes.commands.pop(folder, None)
        self.going.clear()


@define
class FakeDisks:
    """Disks that are a line of text."""

    witness: Witness

    def make(self, tool: str, path: Path, format_: str, size_mib: int, backing: Backing | None) -> None:
        self.witness("change")
        path.write_text(f"{format_} {size_mib} {backing}")

    def snapshots(self, tool: str, path: Path) -> list[str]:
        return []

    def snapshot(self, tool: str, path: Path, flag: str, name: str) -> None:
        self.witness("change")


@define
class FakeFacts:
    """A computer that has everything."""

    variables: Path
    there: Measure = field(factory=lambda: Measure(cpus=8, memory_mib=32768, room_mib=1024 * 1024))
    lacks: str = ""
    system: str = "debian"
    bridges: set[str] = field(factory=set)

    def measure(self, folder: Path) -> Measure:
        return self.there

    def program(self, name: str) -> str:
        return "" if name == self.lacks else f"/usr/bin/{name}"

    def firmware(self) -> tuple[str, str] | None:
        return None if self.lacks == "firmware" else ("/firmware/code.fd", str(self.variables))

    def interface(self, name: str) -> bool:
        return name in self.bridges

    def distribution(self) -> str:
        return self.system


@define
class FakeAccelerators:
    """Nobody has tried KVM yet; it does not work."""

    found: str = ""

    def known(self) -> str:
        return self.found

    def probe(self, tools: Tools) -> str:
        self.found = "tcg"
        return self.found


@define
class Bench:
    """A computer, and what is behind it. `fails` is raised instead of the next change or look of that sort."""

    folder: Path
    looks: int = 0
    changes: int = 0
    fails: dict[str, OSError] = field(factory=dict)
    computer: Any = None

    def __attrs_post_init__(self) -> None:
        variables = self.folder / "variables.fd"
        variables.write_bytes(b"variables")
        place = Place(self.folder / "data", self.folder / "cache")
        processes = FakeProcesses(self.witness)
        self.computer = Computer(
            place,
            Records(place, self.witness),
            processes,
            FakeMonitors(processes),
            FakeDisks(self.witness),
            FakeAccelerators(),
            FakeFacts(variables),
            Downloads(self.folder / "downloads"),
        )

    def witness(self, what: str) -> None:
        self.looks += what == "look"
        self.changes += what == "change"
        if what in self.fails:
            raise self.fails.pop(what)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A computer with nothing on it."""
    return Bench(tmp_path)
