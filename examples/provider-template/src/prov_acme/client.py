"""The seam to Acme: finds what is ours by its tags, and turns Acme's errors into those of the house.

Every object bears the lineage of the state it belongs to, and the key that was minted for it before it was made. So a
call that was cut off can be repeated, and what others made is never taken for ours.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from prov_acme.cloud import Cloud, CloudError
from provisioner.sdk import (
    Absent,
    EndpointDown,
    Fatal,
    Job,
    OperatorNeeded,
    ProviderError,
    Reading,
    Retry,
    Throttled,
    Unreachable,
)

Thing = Mapping[str, Any]


@frozen
class Acme:
    """A connection."""

    cloud: Cloud

    def find(self, what: str, jobs: Sequence[Job[Any, Any]]) -> Mapping[str, Thing | Reading]:
        """The object of each job by key, else what is known of it; one request for all of them."""
        try:
            with _our_errors():
                listed = self.cloud.list(what)
        except EndpointDown as err:
            return {job.key: Unreachable(err.summary) for job in jobs}
        ours = {(thing["tags"].get("lineage"), thing["tags"].get("key")): thing for thing in listed}
        return {job.key: ours.get((job.lineage, job.key), Absent()) for job in jobs}

    def one(self, what: str, job: Job[Any, Any]) -> Thing | None:
        """The object of a job, None if it is not there; raises where that cannot be said."""
        with _our_errors():
            listed = self.cloud.list(what)
        mine = [thing for thing in listed if thing["tags"].get("key") == job.key]
        return mine[0] if mine and mine[0]["tags"].get("lineage") == job.lineage else None

    def make(self, what: str, job: Job[Any, Any], name: str, body: Mapping[str, Any]) -> Thing:
        """The object of a job, made if it is not there yet."""
        found = self.one(what, job)
        if found is not None:
            return found
        suffix = f"-g{job.generation}" if job.generation > 1 else ""
        with _our_errors():
            return self.cloud.create(what, f"{name}{suffix}", {"lineage": job.lineage, "key": job.key}, body)

    def change(self, what: str, job: Job[Any, Any], body: Mapping[str, Any]) -> Thing:
        """The object of a job, with this in its body; nothing is written where it is so already."""
        found = self.one(what, job)
        if found is None:
            raise Fatal("the object is gone", detail=str(job.address), remedy="plan again", effect=False)
        if all(found["body"].get(name) == value for name, value in body.items()):
            return found
        with _our_errors():
            return self.cloud.change(found["id"], body)

    def remove(self, what: str, job: Job[Any, Any]) -> None:
        """Removes the object of a job; quiet where there is none."""
        found = self.one(what, job)
        if found is not None:
            with _our_errors():
                self.cloud.delete(found["id"])


@contextlib.contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except CloudError as err:
        raise _error(err) from None


def _error(err: CloudError) -> ProviderError:
    match err.code:
        case "throttled":
            return Throttled("Acme asks to call less often", detail=str(err), after_s=1.0)
        case "no-answer":
            return EndpointDown("Acme does not answer", detail=str(err))
        case "busy":
            return Retry("Acme is busy with the object", detail=str(err), after_s=1.0)
        case "denied":
            return OperatorNeeded("Acme denies the call", detail=str(err), remedy="check what ACME_TOKEN may do")
        case "quota":
            return OperatorNeeded("Acme has no more room for this account", detail=str(err), remedy="ask for more")
        case "taken":
            return Fatal(
                "Acme has another object of this name",
                detail=str(err),
                remedy="give it another name, or remove the other one",
                effect=False,
            )
        case _:
            return Fatal("Acme refuses this", detail=str(err), remedy="correct what the detail names", effect=False)
