"""The console: one line per event, so that a test can wait for it, and a line of Talos that others read."""

from __future__ import annotations

import contextlib
import os
import time


def say(text: str) -> None:
    """Writes `stand-in [seconds since the kernel began] text`, whole, to the console."""
    _write(f"stand-in [{time.clock_gettime(time.CLOCK_BOOTTIME):8.2f}] {text}")


def tell_key(fingerprint: str) -> None:
    """Writes the fingerprint of the key in maintenance in the words of Talos, from 1.13 on.

    Source: siderolabs/talos, `internal/app/machined/pkg/controllers/runtime/maintenance_service_inform.go`.
    """
    named = '"component": "controller-runtime", "controller": "runtime.MaintenanceServiceInformController"'
    told = f'server certificate issued {{{named}, "fingerprint": "{fingerprint}"}}'
    _write(f"[{time.clock_gettime(time.CLOCK_BOOTTIME):12.6f}] [talos] {told}")


def _write(line: str) -> None:
    with contextlib.suppress(OSError):  # where nobody listens, the machine goes on
        os.write(1, f"{line}\r\n".encode())
