"""`prov serve`."""

from __future__ import annotations

import json as json_
import signal
import threading
from typing import TYPE_CHECKING

from provisioner.cli import options, session

if TYPE_CHECKING:
    from provisioner.model.fetch import Fetch

_ROUND_S = 1.0


def serve(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Serve what machines fetch while they are made, and show who asks; until Ctrl-C.

    An apply does this by itself, for as long as it runs. Alone it is for what a run that was cut off has begun, and
    for an apply on a computer that the machines cannot reach. Nothing is changed, and the state is not locked.
    """
    from provisioner.workflow.serve import Serving

    project = session.project(file, state, var)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    serving = Serving(project, over.is_set)
    told: dict[str, str] | None = None
    while not over.is_set():
        now = serving.round()
        if told != now.objects:
            _tell(told or {}, now.objects, first=told is None, json=json)
            told = dict(now.objects)
        for fetch in now.fetches:
            session.data(f"{json_.dumps(_view(fetch))}\n" if json else f"{_line(fetch)}\n")
        over.wait(_ROUND_S)


def _tell(before, now, *, first: bool, json: bool) -> None:  # type: ignore[no-untyped-def]
    """What began to be served, waits for something, or is served no longer."""
    changes = {name: why for name, why in now.items() if before.get(name) != why}
    gone = [name for name in before if name not in now]
    if json:
        for name, why in changes.items():
            session.data(json_.dumps({"event": "Serving", "address": name, "waits": why}) + "\n")
        for name in gone:
            session.data(json_.dumps({"event": "Served", "address": name}) + "\n")
        return
    for name, why in changes.items():
        session.say(f"{name}: {why or 'is served'}")
    for name in gone:
        session.say(f"{name}: is served no longer")
    if first and not now:
        session.say("nothing is being made; waiting for it")


def _line(fetch: Fetch) -> str:
    at = fetch.at.astimezone().strftime("%H:%M:%S")
    text = f"{at}  {fetch.name or '-':<16} {fetch.what:<10} {fetch.status}  {fetch.size:>12}  {fetch.peer}"
    return f"{text}  {fetch.why}" if fetch.why else text


def _view(fetch: Fetch) -> dict[str, object]:
    return {
        "event": "Fetched",
        "at": fetch.at.isoformat(timespec="milliseconds"),
        "name": fetch.name,
        "what": fetch.what,
        "status": fetch.status,
        "peer": fetch.peer,
        "size": fetch.size,
        "why": fetch.why,
    }
