"""Progress of a run: lines for logs, a live picture for terminals, JSON lines for machines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Protocol, TextIO

from attrs import asdict

from provisioner.model.event import (
    EndpointHeld,
    Event,
    RunEnded,
    RunStarted,
    StepDone,
    StepFailed,
    StepProgress,
    StepSkipped,
    StepStarted,
    Stopping,
)
from provisioner.render.style import Style
from provisioner.render.text import SIGNS

_DOING = {
    "create": "creating",
    "adopt": "taking over",
    "update": "changing",
    "run": "working on",
    "delete": "removing",
    "check": "checking",
    "read": "looking up",
    "forget": "forgetting",
}
_DID = {
    "create": "created",
    "adopt": "taken over",
    "update": "changed",
    "run": "worked on",
    "delete": "removed",
    "check": "holds",
    "read": "found",
    "forget": "forgotten",
}
_QUIET_S = 2.0


class Progress(Protocol):
    """Shows events as they come."""

    def show(self, event: Event) -> None: ...

    def close(self) -> None: ...


class LineProgress:
    """A line when a step ends, and while one is at work at most one line per note and two seconds."""

    def __init__(self, out: TextIO, style: Style, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._style = style
        self._clock = clock
        self._began = clock()
        self._told: dict[str, float] = {}

    def show(self, event: Event) -> None:
        line = event_line(event, self._style)
        if isinstance(event, StepProgress):
            last = self._told.get(event.step, self._began)
            if self._clock() - last < _QUIET_S:
                return
            self._told[event.step] = self._clock()
        if line:
            self._out.write(f"{self._clock() - self._began:7.1f} s  {line}\n")
            self._out.flush()

    def close(self) -> None:
        self._out.flush()


class JsonProgress:
    """One JSON object per event, with its type under `event`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, event: Event) -> None:
        self._out.write(json.dumps({"event": type(event).__name__, **asdict(event)}) + "\n")
        self._out.flush()

    def close(self) -> None:
        self._out.flush()


class LiveProgress:
    """Finished steps scroll by; below them stand those at work, with what they wait for."""

    def __init__(self, out: TextIO, style: Style) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self._text = Text
        self._style = style
        self._began = time.monotonic()
        self._working: dict[str, tuple[str, str, float]] = {}
        self._console = Console(file=out, highlight=False)
        self._live = Live(
            console=self._console,
            refresh_per_second=8,
            transient=True,
            get_renderable=self._picture,
        )
        self._live.start()

    def show(self, event: Event) -> None:
        match event:
            case StepStarted(step, verb, address):
                self._working[step] = (f"{_DOING[verb]} {address}", "", time.monotonic())
            case StepProgress(step=step, note=note) if step in self._working:
                self._working[step] = (self._working[step][0], note, self._working[step][2])
            case StepDone(step=step) | StepFailed(step=step) | StepSkipped(step=step):
                self._working.pop(step, None)
        line = "" if isinstance(event, StepStarted | StepProgress) else event_line(event, self._style)
        if line:
            elapsed = f"{time.monotonic() - self._began:7.1f} s  "
            self._console.print(self._text.from_ansi(elapsed + line))

    def close(self) -> None:
        self._live.stop()

    def _picture(self):  # type: ignore[no-untyped-def]
        now = time.monotonic()
        room = max(3, self._console.size.height - 4)
        lines = [
            f"{now - began:9.1f} s  {what}" + (f": {note}" if note else "")
            for what, note, began in list(self._working.values())
        ]
        if len(lines) > room:
            lines = [*lines[:room], f"           … and {len(lines) - room} more at work"]
        return self._text("\n".join(lines), overflow="ellipsis", no_wrap=True)


def event_line(event: Event, style: Style) -> str:
    """An event in a line, a failure with its hint in a second; empty where it is not worth one."""
    match event:
        case RunStarted("settle", total) if total:
            return f"finishing {total} that an earlier run left"
        case StepProgress(address=address, note=note):
            return f"  {address}: {note}"
        case StepDone(verb=verb, address=address, seconds=seconds):
            return f"{SIGNS[verb]} {address} {_DID[verb]} ({seconds:.1f} s)"
        case StepFailed(verb=verb, address=address, summary=summary, detail=detail, remedy=remedy):
            head = style.paint(f"✗ {_DOING[verb]} {address} failed: {summary}", "red")
            hint = f"\n             {style.paint('hint', 'cyan')}: {remedy}" if remedy else ""
            return head + (f": {detail}" if detail else "") + hint
        case StepSkipped(address=address, because=because):
            return f"· {address} skipped, it needs {because.partition(':')[2].partition('#')[0]}"
        case EndpointHeld(endpoint, reason):
            return style.paint(f"{endpoint} is left alone for a while: {reason}", "yellow")
        case Stopping():
            return style.paint("stopping: calls in flight finish, nothing new begins", "yellow")
        case RunStarted() | RunEnded() | StepStarted():
            return ""
