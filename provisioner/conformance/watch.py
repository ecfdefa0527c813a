"""Seeing what code does besides giving an answer: whether it sleeps, waits, or touches the world."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from attrs import define, field

T = TypeVar("T")

_TOUCHING = ("open", "os.", "socket.", "subprocess.", "sqlite3.", "shutil.", "ftplib.", "urllib.", "http.")
_HARMLESS = ("os.putenv", "os.unsetenv")


@define
class Watcher:
    """Calls things on a thread of their own, and notes each time they sleep.

    Raises AssertionError for a call that does not come back within `patience_s`, which is long enough for a listing
    of everything on a machine that is busy with other things.
    """

    patience_s: float = 60.0
    sleeps: list[str] = field(factory=list)

    def call(self, what: str, work: Callable[[], T]) -> T:
        box: list[tuple[bool, Any]] = []

        def run() -> None:
            sys.setprofile(self._note)
            try:
                box.append((True, work()))
            except BaseException as err:
                box.append((False, err))
            finally:
                sys.setprofile(None)

        thread = threading.Thread(target=run, name=what, daemon=True)
        thread.start()
        thread.join(self.patience_s)
        assert box, f"{what} has not come back after {self.patience_s:.0f} s: it waits for something"
        ((well, result),) = box
        if not well:
            raise result
        answer: T = result
        return answer

    def _note(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call" and arg is time.sleep:
            self.sleeps.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")


_inside = threading.local()
_installed = threading.Lock()
_hooks: list[bool] = []


@contextmanager
def touching_nothing() -> Iterator[list[str]]:
    """Time in which this thread shall not touch network, disk or processes; gives what it touched all the same.

    What is imported late is imported before: call the code once, then once more in here.
    """
    with _installed:
        if not _hooks:
            sys.addaudithook(_audit)  # stays for good; it does nothing outside of this
            _hooks.append(True)
    touched: list[str] = []
    _inside.touched = touched
    try:
        yield touched
    finally:
        _inside.touched = None


def _audit(event: str, args: tuple[Any, ...]) -> None:
    touched: list[str] | None = getattr(_inside, "touched", None)
    if touched is not None and event.startswith(_TOUCHING) and event not in _HARMLESS:
        touched.append(f"{event} {args[0] if args else ''}".strip())
