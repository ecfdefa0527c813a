"""Starts `prov` again and again as a process of its own, without paying for its imports each time.

    python tests/crash/starter.py [MODULE...] < requests > answers

A request is a line of JSON: `args`, `cwd`, `environ`, and the files `out` and `err`. It is answered by the number
of the child, and by its exit code once it has ended, negative for a signal. The child is a fork taken right after
the imports: it has one thread, no open state and nothing of the runs before it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from crash import launcher

LOADED = (
    "provisioner.cli.main",
    "provisioner.workflow.apply",
    "provisioner.workflow.handover",
    "provisioner.render.progress",
    "provisioner.talos.provider",
    "provisioner.talos.api.cluster",
    "provisioner.talos.pki.bundle",
    "prov_sim.sim",
)
"""What a run imports sooner or later."""


def serve() -> None:
    """Answers requests until there are no more."""
    for module in (*LOADED, *sys.argv[1:]):
        importlib.import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(request: dict[str, Any]) -> None:
    """Turns this process into the run that was asked for; does not return."""
    for number, path in ((1, request["out"]), (2, request["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv = ["prov", *request["args"]]
    code = 1
    try:
        launcher.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
