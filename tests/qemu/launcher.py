"""`prov` that kills itself at a named point, with points inside the verbs of the qemu provider too.

    PROV_CRASH_AT='change start machine - before 1' python tests/qemu/launcher.py apply --yes

Without PROV_CRASH_AT and PROV_CRASH_TRACE it is `prov` and nothing else; see `tests/crash/launcher.py`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from crash.launcher import Seams, install


def install_qemu(seams: Seams) -> None:
    """Wraps everything that leaves something behind on this computer."""
    from prov_qemu import processes, records
    from prov_qemu.image.disks import OwnDisks
    from prov_qemu.machine import delivery, start
    from prov_qemu.processes import OwnProcesses
    from prov_qemu.records import Records

    def point(what: str, folder: Path) -> list[str]:
        return [f"change {what} {folder.parent.name} -"]

    def wrap(owner: Any, name: str, names: Any) -> None:
        setattr(owner, name, seams.around(getattr(owner, name), names))

    wrap(Records, "_write", lambda self, path, record: point("record", path.parent))
    wrap(Records, "remove", lambda self, record: [f"change remove {record.kind} -"])
    wrap(records, "_remove", lambda path: point("remove-file", path.parent))
    wrap(OwnProcesses, "start", lambda self, folder, command, cwd: point("start", folder))
    wrap(OwnProcesses, "kill", lambda self, folder: point("kill", folder))
    wrap(processes, "_write_down", lambda folder, pid: point("write-down", folder))
    wrap(OwnDisks, "make", lambda self, tool, path, *rest: point("make", path.parent))
    wrap(delivery, "write_whole", lambda path, data: point("deliver", path.parent))
    wrap(start, "put_down", lambda carrier, folder: point("put-down", folder))


def main() -> None:
    """Installs the points if any are asked for, then runs the command as if it had been called by its own name."""
    wanted, trace = os.environ.pop("PROV_CRASH_AT", ""), os.environ.pop("PROV_CRASH_TRACE", "")
    if wanted or trace:
        seams = Seams(wanted, trace)
        install(seams)
        install_qemu(seams)
    from provisioner.cli.main import main as prov

    sys.argv[0] = "prov"
    prov()


if __name__ == "__main__":
    main()
