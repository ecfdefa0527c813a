"""`prov` with seams: it ends itself by SIGKILL at one named point, or writes down which points it passes.

    python tests/crash/launcher.py apply --yes

Nothing of this is in prov. Before its `main` runs, the launcher wraps from outside what changes the world or the
record: every verb of every kind that the registry hands out, every commit of the state and its creation, every
request that changes something remotely, and the files that are handed over.

Without either of these it is `prov` and nothing else:

PROV_CRASH_AT      the point: a name as `points` makes them, or `#17` for the seventeenth passage of all
PROV_CRASH_TRACE   a file that gets one line of JSON per passage: the names it goes by

PROV_SPEED         how many seconds pass for prov in one, counted from the moment PROV_SINCE

PROV_HOSTS         a file in the form of /etc/hosts that is asked before the system is, for names of test beds
"""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from crash.points import call_name, change_name

VERBS = ("read", "create", "adopt", "update", "run", "delete", "check")
REQUESTS = ("apply", "bootstrap", "reboot", "reset", "remove_member", "delete_kubernetes_node")
"""What the Talos kinds can ask for that changes something."""
_LAG_S = 10 * 86_400.0
LISTS = frozenset({"list", "show"})
"""Control calls of the simulator that change nothing."""


class Seams:
    """Counts passages by name, and dies at the one that is wanted."""

    def __init__(self, wanted: str, trace: str) -> None:
        self._wanted = wanted
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if trace else None
        self._counts: Counter[str] = Counter()
        self._passages = 0
        self._guard = threading.Lock()
        self.stage = "plan"

    def passed(self, names: Sequence[str], side: str) -> None:
        """One passage, under all the names it goes by."""
        with self._guard:
            self._passages += 1
            full = [f"{name} {side}" for name in dict.fromkeys(names)]
            self._counts.update(full)
            exact = [f"{name} {self._counts[name]}" for name in full]
            if self._wanted in (*exact, f"#{self._passages}"):
                os.kill(os.getpid(), signal.SIGKILL)
            if self._trace is not None:
                os.write(self._trace, json.dumps(exact).encode() + b"\n")

    def around(self, function: Callable[..., Any], names: Callable[..., Sequence[str]]) -> Callable[..., Any]:
        """The function with a point before it, and one after it that tells how it went."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            known = names(*args, **kwargs)
            self.passed(known, "before")
            try:
                answer = function(*args, **kwargs)
            except Exception as err:
                self.passed(known, f"after:{type(err).__name__}")
                raise
            self.passed(known, f"after:{_outcome(answer)}")
            return answer

        return wrapped

    def within(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """The function, with what it does counted as part of a stage of the run."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            before, self.stage = self.stage, stage
            try:
                return function(*args, **kwargs)
            finally:
                self.stage = before

        return wrapped


def install(seams: Seams) -> None:
    """Wraps the seams of the real command."""
    from provisioner.engine.apply import Engine
    from provisioner.plugins.registry import Registry
    from provisioner.state.sqlite_store import SqliteStore
    from provisioner.talos.api.cluster import Cluster
    from provisioner.workflow import handover

    for stage in ("settle", "apply"):
        setattr(Engine, stage, seams.within(getattr(Engine, stage), stage))
    commit = seams.around(
        SqliteStore.commit, lambda self, changes, fence: [*map(change_name, changes)] or ["commit nothing - -"]
    )
    SqliteStore.commit = commit  # type: ignore[method-assign]
    SqliteStore.create = seams.around(SqliteStore.create, lambda self: ["commit the-new-state - -"])  # type: ignore[method-assign]
    write = seams.around(handover.write_private, lambda path, content: [f"file write {path.suffix[1:]} -"])
    handover.write_private = write
    for name in REQUESTS:
        request = seams.around(getattr(Cluster, name), functools.partial(_request, name))
        setattr(Cluster, name, request)
    wrapped: set[type] = set()
    provider_of = Registry.provider

    def provider(self: Registry, type_: str) -> Any:
        found = provider_of(self, type_)
        for full, kind in found.kinds.items():
            if type(kind) not in wrapped:
                wrapped.add(type(kind))
                _wrap_kind(seams, full, type(kind))
        return found

    Registry.provider = provider  # type: ignore[method-assign]


def install_sim(seams: Seams) -> None:
    """Wraps the requests to the simulator's daemon."""
    from prov_sim.control import Control

    ask = Control.ask
    wrapped = seams.around(ask, lambda self, verb, **arguments: [f"request {verb} {arguments.get('name', '-')} -"])

    def chosen(self: Control, verb: str, **arguments: Any) -> dict[str, Any]:
        call = ask if verb in LISTS else wrapped
        answer: dict[str, Any] = call(self, verb, **arguments)
        return answer

    Control.ask = chosen  # type: ignore[method-assign]


def install_aws(seams: Seams) -> None:
    """Wraps the requests to AWS that change something."""
    from prov_aws.client import Aws

    call = Aws.call

    def request(self: Aws, service: str, operation: str, **arguments: Any) -> list[str]:
        return [f"request {service}.{operation} - -"]

    wrapped = seams.around(call, request)

    def chosen(self: Aws, service: str, operation: str, **arguments: Any) -> Any:
        reads = operation.startswith(("describe_", "get_", "list_", "head_"))
        return (call if reads else wrapped)(self, service, operation, **arguments)

    Aws.call = chosen  # type: ignore[method-assign]


def hurry(speed: float, since: float) -> None:
    """Lets time go faster for the command: its clock, its polls and its deadlines.

    It begins days ago: certificates that it makes have to be valid for those who live in real time.
    """
    from attrs import evolve

    from provisioner.cli import session
    from provisioner.engine.executor import Threads

    class Hurried(Threads):
        def now(self) -> float:
            return super().now() * speed

        def arrived(self, timeout_s: float | None) -> list[Any]:
            return super().arrived(None if timeout_s is None else timeout_s / speed)

    world = session.world

    def now() -> datetime:
        return datetime.fromtimestamp(since - _LAG_S + (time.time() - since) * speed, UTC)

    session.world = lambda: evolve(world(), now=now, executor=Hurried)


def know_hosts(file: Path) -> None:
    """Lets names be looked up in a file first, as root could have it by other means."""
    ask = socket.getaddrinfo

    def look(host: Any, *args: Any, **kwargs: Any) -> Any:
        lines = file.read_text().splitlines() if file.exists() else []
        known = {name: address for address, name in (line.split() for line in lines)}
        return ask(known.get(host, host), *args, **kwargs)

    socket.getaddrinfo = look


def _wrap_kind(seams: Seams, full: str, kind: type) -> None:
    for verb in VERBS:
        function = getattr(kind, verb, None)
        if function is None:
            continue

        def names(self: Any, client: Any, work: Any, ctx: Any, verb: str = verb) -> list[str]:
            jobs = work if verb == "read" else [work]
            return [call_name(seams.stage, verb, job) for job in jobs] or [f"{seams.stage} read - -"]

        setattr(kind, verb, seams.around(function, names))


def _request(request: str, cluster: Any, *args: Any, **kwargs: Any) -> list[str]:
    """Named after the node it goes to, if the file still knows it: addresses differ from run to run."""
    by_host = {host: node for node, host in cluster.nodes.items()}
    first = str(args[0]) if args else "-"
    node = by_host.get(first, "-" if first[0].isdigit() else first)
    return [f"request talos.{request} {node} -"]


def _outcome(answer: Any) -> str:
    if isinstance(answer, Mapping):
        return "answer"
    phase = getattr(answer, "phase", None)
    return type(answer).__name__ + (f":{phase}" if phase else "") if answer is not None else "done"


def main() -> None:
    """Installs the seams that are asked for, then runs the command as if it had been called by its own name."""
    wanted, trace = os.environ.pop("PROV_CRASH_AT", ""), os.environ.pop("PROV_CRASH_TRACE", "")
    hosts = os.environ.pop("PROV_HOSTS", "")
    if hosts:
        know_hosts(Path(hosts))
    if speed := float(os.environ.pop("PROV_SPEED", "0")):
        hurry(speed, float(os.environ.pop("PROV_SINCE")))
    if wanted or trace:
        seams = Seams(wanted, trace)
        install(seams)
        install_sim(seams)
        if "AWS_ENDPOINT_URL" in os.environ:
            install_aws(seams)
    from provisioner.cli.main import main as prov

    sys.argv[0] = "prov"
    prov()


if __name__ == "__main__":
    main()
