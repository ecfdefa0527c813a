"""Importing a provider in a process of its own, and telling what that touches."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection

_PROGRAM = """
import importlib, json, os, sys

package, attribute = sys.argv[1], sys.argv[2]
found = []


def ours():
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("importlib") or "importlib" in frame.f_code.co_filename:
            return ""
        if name == package or name.startswith(package + "."):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def audit(event, args):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn")):
        found.append(event)
    elif event in ("open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename"):
        if where := ours():
            found.append(f"{event} {args[0]} at {where}")


class Environment(type(os.environ)):
    def __getitem__(self, key):
        if where := ours():
            found.append(f"the variable {key} at {where}")
        return super().__getitem__(key)


os.environ.__class__ = Environment
sys.addaudithook(audit)
module = importlib.import_module(sys.argv[3])
if attribute:
    getattr(module, attribute)
print(json.dumps([found, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def touched(package: str, module: str, attribute: str, heavy: Collection[str]) -> list[str]:
    """What importing a module and asking it for an attribute touches; `heavy` are names that shall not be loaded.

    Files and variables count where code of the package itself asks for them, network and processes always.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, package, attribute, module],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{module} cannot be imported:\n{done.stderr}"
    found, loaded = json.loads(done.stdout.splitlines()[-1])
    return [*found, *(f"{name} is loaded" for name in sorted(set(heavy) & set(loaded)))]
