"""What a BMC has taken on and not finished: answers of 202, and where to ask what came of them.

Nobody waits here. A verb that meets a task which still runs ends with "later", and looks at it when it is called
again. What was forgotten with a process that died shows in the resource itself.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from attrs import define, field, frozen

from prov_metal.bmc.line import Reply
from prov_metal.bmc.refusals import Refusals
from provisioner.sdk import OperatorNeeded, ProviderError, Retry

LONGEST_S = 900.0
"""How long a task may run. Changes of firmware settings take several minutes with the restart they bring."""

_FAILED = ("Exception", "Killed", "Cancelled")
_WAITING = ("Pending", "Suspended", "Interrupted")
_RUNNING = ("New", "Starting", "Running", "Stopping", "Cancelling", "Service", *_WAITING)


@frozen
class Task:
    """Where to ask, what was asked for, and when that was, in seconds."""

    monitor: str
    what: str
    begun: float


@define
class Tasks:
    """The tasks of one BMC that nobody has seen the end of."""

    ask: Callable[[str], Reply]
    refusals: Refusals
    now: Callable[[], float]
    _open: list[Task] = field(init=False, factory=list)

    def note(self, reply: Reply, what: str) -> None:
        """Keeps the task of an answer, if it is one."""
        place = reply.headers.get("location") or reply.body.get("TaskMonitor") or reply.body.get("@odata.id")
        if reply.status == 202 and place:
            self._open.append(Task(urlsplit(str(place)).path, what, self.now()))

    def settle(self, *, patient: bool) -> bool:
        """Looks at each task; one that has ended well is forgotten. True where one waits, as for the next start.

        Raises Retry while one runs, unless `patient`, and for one that failed, with what it says; OperatorNeeded for
        one that does not end.
        """
        waits = False
        for task in tuple(self._open):
            reply = self.ask(task.monitor)
            state = str(reply.body.get("TaskState") or "")
            runs = reply.status == 202 or (reply.fine and state in _RUNNING)
            if runs and self.now() - task.begun <= LONGEST_S:
                waits = waits or state in _WAITING
                if not patient and state not in _WAITING:
                    raise self._later(task, reply, state)
                continue
            self._open.remove(task)
            if runs:
                raise self._endless(task, state)
            if reply.status not in (404, 410) and (not reply.fine or state in _FAILED):
                raise self._failed(task, reply, state)
        return waits

    def _later(self, task: Task, reply: Reply, state: str) -> ProviderError:
        detail = f"{task.what} is task {task.monitor}, {state or 'which runs'}"
        return Retry("a BMC has not finished yet", detail=detail, after_s=reply.after_s(5.0))

    def _failed(self, task: Task, reply: Reply, state: str) -> ProviderError:
        said = self.refusals.said(reply.body)
        return Retry(
            "a BMC failed at what it had taken on",
            detail=f"{task.what} ended as {state or reply.status}{said}",
            remedy="it is asked again; what it says tells what it lacks",
            after_s=10.0,
        )

    def _endless(self, task: Task, state: str) -> ProviderError:
        return OperatorNeeded(
            "a BMC does not come to an end with a task",
            detail=f"{task.what} is task {task.monitor}, after {LONGEST_S:.0f} s {state or 'it runs'}",
            remedy="look at its queue of jobs, and restart the BMC if nothing moves there; then run this again",
        )
