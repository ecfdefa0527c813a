"""Orders to a running qemu, over its monitor socket.

Source: QEMU Machine Protocol specification; after the greeting a client says `qmp_capabilities`, then one command.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any, Final, Protocol

_TIMEOUT_S: Final = 5.0


class NoAnswer(Exception):
    """Nobody answers at a monitor, or not in time."""


class Refused(Exception):
    """A monitor refuses an order; the text is qemu's."""


class Monitors(Protocol):
    """Where machines take orders."""

    def ask(self, folder: Path, socket: str, order: str, /, **arguments: Any) -> Any:
        """What qemu answers to an order; raises NoAnswer or Refused."""
        ...


class OwnMonitors:
    """Monitors of this computer; the name of a socket is looked up in its folder, so that paths may be long."""

    def ask(self, folder: Path, socket: str, order: str, /, **arguments: Any) -> Any:
        try:
            with _connected(folder, socket) as lines:
                _said(lines)
                _order(lines, "qmp_capabilities", {})
                return _order(lines, order, arguments)
        except (OSError, ValueError) as err:
            raise NoAnswer(f"no answer from {folder / socket}: {err}") from None


@contextlib.contextmanager
def _connected(folder: Path, name: str) -> Any:
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        connection.settimeout(_TIMEOUT_S)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, handle)
        connection.connect(f"/proc/self/fd/{handle}/{name}")
        yield stack.enter_context(connection.makefile("rwb"))


def _order(lines: Any, order: str, arguments: dict[str, Any]) -> Any:
    lines.write(json.dumps({"execute": order, "arguments": arguments}).encode() + b"\n")
    lines.flush()
    while True:
        found = _said(lines)
        if "error" in found:
            raise Refused(str(found["error"].get("desc", order)))
        if "return" in found:
            return found["return"]


def _said(lines: Any) -> Any:
    line = lines.readline()
    if not line:
        raise NoAnswer("the monitor was closed")
    return json.loads(line)
