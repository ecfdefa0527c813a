"""Requests to a Redfish service, one at a time.

Nothing is repeated blindly: a refused ETag is tried in its other spellings, a request in a session that has ended
once more in a new one, and every other failure becomes an error that says whether it passes.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field

from prov_metal.bmc.access import TIMEOUT_S, Access
from prov_metal.bmc.line import Line, Reply
from prov_metal.bmc.refusals import Refusals
from prov_metal.bmc.session import Session
from prov_metal.bmc.tasks import Tasks
from provisioner.sdk import ProviderError

__all__ = ["TIMEOUT_S", "Access", "Reply", "Wire"]

_NO_CALLS = (429, 503)
_PRECONDITION = (412, 428)


@define
class Wire:
    """One BMC, one request at a time. Opens nothing before the first request; `now` is seconds on any clock."""

    access: Access
    now: Callable[[], float] = time.monotonic
    _refusals: Refusals = field(init=False)
    _session: Session = field(init=False)
    _tasks: Tasks = field(init=False)
    _turn: threading.RLock = field(init=False, factory=threading.RLock)

    def __attrs_post_init__(self) -> None:
        self._refusals = Refusals(self.access)
        self._session = Session(Line(self.access), self._refusals)
        self._tasks = Tasks(lambda path: self._ours("GET", path, None, {}), self._refusals, self.now)
        weakref.finalize(self, self._session.end)

    def close(self) -> None:
        """Logs out. Without it that is done when the wire or the process ends."""
        with self._turn:
            self._session.end()

    def root(self) -> Mapping[str, Any]:
        """The service root. Raises ProviderError."""
        with self._turn:
            return self._session.root()

    def get(self, path: str) -> Mapping[str, Any]:
        """A resource; raises ProviderError when there is none."""
        return self._fine(self.ask("GET", path), f"GET {path}").body

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, etag: str = "") -> Reply:
        """One request, and what came of it, refusals included; what is taken on as a task is kept, see `settle`.

        Raises ProviderError where nobody answers, the user is refused, or the BMC asks to be left alone.
        """
        reply = self._ours(method, path, body, {"If-Match": etag} if etag else {})
        if reply.status in _NO_CALLS:
            raise self.refused(reply, f"{method} {path}")
        if method != "GET":
            self._tasks.note(reply, f"{method} {path}")
        return reply

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Reply:
        """A change that has to succeed; raises ProviderError where it is refused."""
        return self._fine(self.change(method, path, body), f"{method} {path}")

    def change(self, method: str, path: str, body: Mapping[str, Any]) -> Reply:
        """A change, and what came of it, with the ETag of what is changed where the BMC has one.

        A refused precondition is tried in each spelling the tag can have, and without one at last.
        """
        etag = self.ask("GET", path).etag if method == "PATCH" else ""
        reply = self.ask(method, path, body, etag)
        for tag in _spellings(etag):
            if reply.status not in _PRECONDITION:
                break
            reply = self.ask(method, path, body, tag)
        return reply

    def settle(self, *, patient: bool = False) -> bool:
        """Looks at what the BMC has taken on earlier; whether any of it waits for the machine's next start.

        Raises ProviderError for what runs or has failed, see `Tasks.settle`.
        """
        with self._turn:
            return self._tasks.settle(patient=patient)

    def refused(self, reply: Reply, what: str) -> ProviderError:
        """The error for an answer that says no."""
        return self._refusals.of(reply, what)

    def _ours(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Reply:
        with self._turn:
            return self._session.ask(method, path, body, headers)

    def _fine(self, reply: Reply, what: str) -> Reply:
        if reply.fine:
            return reply
        raise self.refused(reply, what)


def _spellings(etag: str) -> tuple[str, ...]:
    """The other forms of an ETag that BMCs want: strong, as before compression, weak, bare, none at all.

    Where there is none and one is wanted, any will do.
    """
    if not etag:
        return ("*",)
    strong = etag.removeprefix("W/")
    whole = strong.replace("-gzip", "")
    forms = (strong, whole, f"W/{strong}", strong.strip('"'), "")
    return tuple(dict.fromkeys(form for form in forms if form != etag))
