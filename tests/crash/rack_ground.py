"""A rack under prov that is killed: at every commit and call about a host, and in the middle of every call to a BMC.

The rack lives in this process and goes on while nobody runs prov. Time goes faster for both sides alike. What is
checked afterwards is what the servers are like, and how often each was installed and started.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress

from attrs import define, field, frozen
from beds.bmc.exchange import Answer, Asked
from beds.rack.operator import cluster
from beds.rack.rack import Rack
from beds.rack.server import Server
from crash.ground import Broken, Passage, _expect
from crash.rack_courses import Course
from crash.run import KILLED, Ended, Runner
from fakes.lab import Lab

MODULES = ("prov_metal.metal", "prov_metal.bmc.redfish", "provisioner.talos.api.reader", "pycdlib", "redfish")
_DEAD_S = 60.0


@frozen
class Point:
    """Where a run is killed: at a passage of a seam, or at the `number`th write to a BMC, on one of its `sides`."""

    name: str = ""
    number: int = 0
    side: str = ""

    def __str__(self) -> str:
        return self.name or (f"write {self.number} {self.side}" if self.number else "nowhere")


class Gone(ConnectionError):
    """Whoever asked is dead."""


@define(eq=False)
class RackGround:
    """One cluster of one host, made and removed again and again."""

    lab: Lab
    rack: Rack
    runner: Runner
    course: Course
    since: float = field(factory=time.time)
    _wanted: Point = Point()
    _writes: int = 0
    names: list[str] = field(factory=list)
    """What the writes to BMCs of the last run were."""

    def __attrs_post_init__(self) -> None:
        self.rack.before, self.rack.after = self._before, self._after
        block = self.course.arrange(self.rack)
        self.lab.write(cluster(self.rack, **block))

    @property
    def server(self) -> Server:
        return next(iter(self.rack.servers.values()))

    # runs

    def begin(self) -> None:
        """A server with something else on its disk, which runs."""
        server = self.server
        server.returns, server.foreign, server.installed = self.course.returns, True, None
        if (before := self.rack.site.machine(server.plate.name)) is not None:
            before.wiped = True
        server.installs = server.starts = server.cut_short = 0
        self.rack.site.world.erasures.clear()
        with self.rack.turn:
            server.catch_up()
            server.press(on=True)

    def trace(self, *args: str) -> list[Point]:
        """The points of a run that nobody disturbs: passages about hosts, and writes to BMCs."""
        file = self.lab.folder / "trace"
        file.unlink(missing_ok=True)
        self._go(*args, PROV_CRASH_TRACE=str(file))
        passages = [Passage(tuple(json.loads(line))) for line in file.read_text().splitlines()]
        ours = [name for passage in passages for name in passage.names if _is_ours(name)]
        points = [Point(name) for name in ours]
        return points + [
            Point("", number + 1, side) for number in range(self._writes) for side in ("before", "after")
        ]

    def kill(self, point: Point, *args: str) -> bool:
        """Kills a run at a point and lets another one go to its end; whether it came to that."""
        hit = self.cut(point, *args)
        self._go(*args)
        return hit

    def cut(self, point: Point, *args: str) -> bool:
        """Kills a run at a point; whether it came to that."""
        ended = self._run(point, *args)
        if ended.code not in (0, KILLED):
            raise Broken(f"the run that is to be killed ends with {ended.code}\n{ended.text}")
        return ended.code == KILLED

    def _go(self, *args: str, **environ: str) -> None:
        ended = self._run(Point(), *args, **environ)
        if ended.code != 0:
            raise Broken(f"`prov {' '.join(args)}` ends with {ended.code}\n{ended.text}")

    def _run(self, point: Point, *args: str, **environ: str) -> Ended:
        self._wanted, self._writes = point, 0
        self.names.clear()
        speed = {"PROV_SPEED": str(self.rack.speed), "PROV_SINCE": str(self.since)}
        at = {"PROV_CRASH_AT": point.name} if point.name else {}
        return self.runner.run(*args, **speed, **at, **environ)

    # what must be true

    def check_made(self) -> None:
        """The disk was written once, the node runs from it, nothing of the way is left, prov has nothing to do."""
        server = self.server
        with self.rack.turn:
            server.catch_up()
            found = (server.installs, server.power, server.runs, server.inserted, server.override)
        _expect("installs, power, runs from its disk, disc, boot order", (1, True, True, None, None), found)
        plan = self._run(Point(), "plan")
        _expect(f"exit code of plan\n{plan.text}", 0, plan.code)

    def check_gone(self) -> None:
        """Off, empty, and on no record, not started again for that; Talos's disk and each named one erased once."""
        server = self.server
        with self.rack.turn:
            server.catch_up()
            found = (server.installs, server.power, server.installed, server.inserted, server.override)
        _expect("installs, power, configuration, disc, boot order", (1, False, None, None, None), found)
        erased = {disk: times for (_, _, disk), times in self.rack.site.world.erasures.items()}
        _expect("erased disks, and how often", dict.fromkeys({"/dev/sda", *self.course.wipe}, 1), erased)
        _expect("how often it was switched off while it erased them", 0, server.cut_short)
        plan = self._run(Point(), "destroy", "--yes")
        _expect(f"exit code of a second destroy\n{plan.text}", 0, plan.code)

    def check_given_up(self) -> None:
        """Off or as it was at first, empty, and on no record; what is on the disk by then stays there."""
        server = self.server
        with self.rack.turn:
            server.catch_up()
            touched = server.starts > 1 or server.installs > 0
            found = (server.power and touched, server.inserted, server.override)
        _expect("power, disc, boot order", (False, None, None), found)
        _expect("more than one installation", False, server.installs > 1)
        plan = self._run(Point(), "destroy", "--yes")
        _expect(f"exit code of a second destroy\n{plan.text}", 0, plan.code)

    # the hand on the trigger

    def _before(self, name: str, asked: Asked) -> None:
        if asked.method == "GET":
            return
        self._writes += 1
        self.names.append(f"{asked.method} {asked.path.rpartition('/')[2]}")
        if (self._writes, "before") == (self._wanted.number, self._wanted.side):
            self._shoot()
        return

    def _after(self, name: str, asked: Asked, answer: Answer) -> None:
        if asked.method != "GET" and (self._writes, "after") == (self._wanted.number, self._wanted.side):
            self._shoot()

    def _shoot(self) -> None:
        """Kills the run, waits for its end, and lets its request come to nothing more."""
        self._wanted = Point()
        until = time.monotonic() + _DEAD_S
        while (child := self.runner.child) is None and time.monotonic() < until:
            time.sleep(0.01)  # whoever started it may be told its number later than it asks
        if child is not None:
            os.kill(child, signal.SIGKILL)
            with suppress(ProcessLookupError):
                while time.monotonic() < until:
                    os.kill(child, 0)
                    time.sleep(0.01)
        raise Gone


def _is_ours(name: str) -> bool:
    """A passage about the host, or the one that ends what runs on it."""
    about = "metal.host/" in name and name.startswith(("commit ", "apply "))
    return about or name.startswith("request talos.reset ")
