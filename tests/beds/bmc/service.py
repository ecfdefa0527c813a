"""What a Redfish service does around its resources that the emulator does not: sessions, tasks, moods."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field, frozen
from beds.bmc.exchange import Answer, Asked, Pass, refusal

SESSIONS = "/redfish/v1/SessionService/Sessions"
TASKS = "/redfish/v1/TaskService/TaskMonitors"
_OPEN = ("/redfish/v1", "/redfish/v1/")


@define
class Sessions:
    """Tokens for those who log in.

    room      sessions at a time; `status` and RAC0218 for one too many (Dell iDRAC; check_redfish 198, badfish 447)
    life      requests that a session lasts, after which its token is unknown
    basic     whether user and password do without a session
    placeless the place of a new session is in no header (sushy's samples have such a BMC)
    """

    room: int = 8
    life: int = 1000
    basic: bool = True
    status: int = 503
    placeless: bool = False
    password: str = "hunter2"
    at_once: int = field(init=False, default=0)
    begun: int = field(init=False, default=0)
    _left: dict[str, int] = field(init=False, factory=dict)

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.path in _OPEN and asked.method == "GET":
            answer = on(asked)
            return evolve(answer, body={**answer.body, "Links": {"Sessions": {"@odata.id": SESSIONS}}})
        if asked.path == SESSIONS and asked.method == "POST":
            return self._login(asked.body)
        token = asked.headers.get("X-Auth-Token", "")
        if asked.path.startswith(f"{SESSIONS}/") and asked.method == "DELETE":
            return Answer(204) if self._left.pop(token, None) is not None else refusal(401, "no such session")
        if self._left.get(token, 0) > 0:
            self._left[token] -= 1
            return on(asked)
        if self._left.pop(token, None) is None and self.basic and asked.headers.get("Authorization") == self._proof():
            return on(asked)
        return refusal(401, "there is no valid session")

    @property
    def open(self) -> int:
        return len(self._left)

    def _login(self, body: Mapping[str, Any]) -> Answer:
        if body.get("Password") != self.password:
            return refusal(401, "user or password is wrong")
        if len(self._left) >= self.room:
            return refusal(self.status, "RAC0218: the maximum number of user sessions has been reached")
        self.begun += 1
        token = f"token{self.begun}"
        self._left[token] = self.life
        self.at_once = max(self.at_once, len(self._left))
        place = f"{SESSIONS}/{self.begun}"
        headers = {"X-Auth-Token": token} | ({} if self.placeless else {"Location": place})
        return Answer(201, {"@odata.id": place, "Id": str(self.begun)}, headers)

    def _proof(self) -> str:
        return f"Basic {base64.b64encode(f'admin:{self.password}'.encode()).decode()}"


@frozen
class NoSessions:
    """The root names a place for sessions, and the place takes none (sushy-emulator does so for who asks there)."""

    status: int

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.path == SESSIONS:
            return refusal(self.status, "not here")
        answer = on(asked)
        if asked.path in _OPEN:
            return evolve(answer, body={**answer.body, "Links": {"Sessions": {"@odata.id": SESSIONS}}})
        return answer


@define
class TakesOn:
    """Some changes are tasks: answered with 202, done after a few looks at the monitor.

    suffix    of the paths whose changes are
    looks     that it takes
    ends      what the monitor says at last; the change is made then, where that is no refusal
    states    whether the monitor gives the task's resource, else the status alone
    nameless  the place of the monitor is in the body, not in the headers
    """

    suffix: str
    looks: int = 2
    ends: Answer = field(factory=lambda: Answer(204))
    states: bool = True
    nameless: bool = False
    _held: dict[str, tuple[int, Asked]] = field(init=False, factory=dict)

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.path in self._held:
            return self._look(asked.path, on)
        if asked.method in ("POST", "PATCH") and asked.path.endswith(self.suffix):
            monitor = f"{TASKS}/{len(self._held) + 1}"
            self._held[monitor] = (self.looks, asked)
            return self._running(monitor)
        return on(asked)

    def _look(self, monitor: str, on: Pass) -> Answer:
        left, asked = self._held[monitor]
        if left:
            self._held[monitor] = (left - 1, asked)
            return self._running(monitor)
        if self.ends.status < 400 and (self.ends.body or {}).get("TaskState", "Completed") == "Completed":
            on(asked)
        return self.ends

    def _running(self, monitor: str) -> Answer:
        body = {"@odata.id": monitor, "TaskMonitor": monitor, "TaskState": "Running"} if self.states else None
        return Answer(202, body, {"Retry-After": "7"} | ({} if self.nameless else {"Location": monitor}))


@frozen
class WantsToBeLeft:
    """Connections have to be closed after each answer; long ones choke it (sushy connector.py)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        kept = asked.headers.get("Connection", "").lower() != "close"
        return refusal(503, "too many connections") if kept else on(asked)


@frozen
class KnowsNoIdentity:
    """`Accept-Encoding: identity` is not acceptable (some iLO Gen10+; sushy connector.py)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        wrong = asked.headers.get("Accept-Encoding") == "identity"
        return refusal(406, "no such encoding") if wrong else on(asked)
