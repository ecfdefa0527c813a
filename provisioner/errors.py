"""The error family: every error names its place, its cause and the next thing to try.

    ProvError                     anything a person is told; has code, summary, detail, place, remedy
    ├── InputError                the file, a patch or an option is wrong; carries every problem found
    ├── StateError                the state cannot be used as it is
    │   ├── StateLocked           another run holds it
    │   └── StateMoved            it changed under a plan, or under a writer that had lost its lock
    ├── KeyMissing                no identity to open sealed values with
    ├── PlanRefused               the plan is blocked or stale and must not be applied
    └── ProviderError             a provider could not do what a step asked
        ├── Retry                 passes by itself: the engine calls again until the step's deadline
        │   ├── Throttled         the endpoint wants fewer calls: all of them are slowed down
        │   └── EndpointDown      the endpoint as a whole does not answer: nobody calls it for a while
        ├── OperatorNeeded        a person has to act (credentials, quota, a dead machine); may be repeated
        └── Fatal                 repeating cannot help: the input is refused

Anything else that escapes is a fault of `prov`, and the command line says so.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from attrs import frozen


@frozen
class Place:
    """Where something stands: a file position (line and column from 1), or the address of a resource."""

    file: str = ""
    line: int = 0
    column: int = 0
    address: str = ""

    def __str__(self) -> str:
        if self.file and self.line:
            return f"{self.file}:{self.line}:{self.column}"
        return self.file or self.address


@frozen
class Problem:
    """One thing wrong with what the user gave us.

    `summary` is the same text for the same kind of problem; the particulars stand in `detail`.
    """

    code: str
    summary: str
    detail: str = ""
    place: Place = Place()
    remedy: str = ""


class ProvError(Exception):
    """An error for people. `code` is stable; secrets never enter any field."""

    code = "error"

    def __init__(self, summary: str, *, detail: str = "", place: Place | None = None, remedy: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail
        self.place = place or Place()
        self.remedy = remedy

    def problems(self) -> tuple[Problem, ...]:
        """This error as problems, the form in which all errors are rendered."""
        return (Problem(self.code, self.summary, self.detail, self.place, self.remedy),)


class InputError(ProvError):
    """What the user wrote is wrong; `problems()` has all that was found, in file order."""

    code = "input"

    def __init__(self, found: Sequence[Problem]) -> None:
        first = found[0]
        super().__init__(first.summary, detail=first.detail, place=first.place, remedy=first.remedy)
        self._found = tuple(found)

    def problems(self) -> tuple[Problem, ...]:
        return self._found


class StateError(ProvError):
    """The state cannot be read, or is not ours."""

    code = "state"


class StateLocked(StateError):
    """Another run holds the state; the detail says who, where and since when."""

    code = "state-locked"


class StateMoved(StateError):
    """The state is not the one this run or plan was made for."""

    code = "state-moved"


class KeyMissing(ProvError):
    """Sealed values cannot be opened or made for want of an age identity."""

    code = "key-missing"


class PlanRefused(ProvError):
    """The plan must not be applied; the remedy names the command that makes a better one."""

    code = "plan-refused"


class ProviderError(ProvError):
    """A provider could not do what was asked."""

    code = "provider"


class Retry(ProviderError):
    """Passes by itself. `after_s` is the earliest sensible moment to call again, in seconds."""

    code = "retry"

    def __init__(self, summary: str, *, detail: str = "", remedy: str = "", after_s: float = 1.0) -> None:
        super().__init__(summary, detail=detail, remedy=remedy)
        self.after_s = after_s


class Throttled(Retry):
    """The endpoint asks for fewer calls (429, 503 with a hint, a rate exceeded): whoever calls it slows down."""

    code = "throttled"


class EndpointDown(Retry):
    """The endpoint itself does not answer (connection refused, time-out), so other calls would fare no better."""

    code = "endpoint-down"


class OperatorNeeded(ProviderError):
    """A person has to act before a repetition can succeed."""

    code = "operator"


class Fatal(ProviderError):
    """The remote refuses this input for good. `effect` tells whether something may exist all the same."""

    code = "fatal"

    def __init__(self, summary: str, *, detail: str = "", remedy: str = "", effect: bool = True) -> None:
        super().__init__(summary, detail=detail, remedy=remedy)
        self.effect = effect


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy for a mistaken name: the nearest known one, else some of those there are; empty without any."""
    options = sorted(known)
    near = difflib.get_close_matches(word, options, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if not options:
        return ""
    more = f" and {len(options) - 8} more" if len(options) > 12 else ""
    return f"known here: {', '.join(options[:8] if more else options)}{more}"
