"""Reading many objects of a daemon with one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prov_sim.control import Control, ControlError
from prov_sim.errors import as_provider_errors, provider_error
from provisioner.sdk import Absent, Job, Reading, Seen, Unreachable


def find_all(
    client: Control, ids: Sequence[str], what: str, seen: Callable[[Mapping[str, Any]], Seen]
) -> dict[str, Reading]:
    """The reading of each id, whoever it belongs to."""
    with as_provider_errors():
        listed = client.ask_if_running("list").get(what, [])
    by_id = {item["id"]: seen(item) for item in listed}
    return {id_: by_id.get(id_, Absent()) for id_ in ids}


def read_all(
    client: Control, jobs: Sequence[Job[Any, Any]], what: str, seen: Callable[[Mapping[str, Any]], Seen]
) -> dict[str, Reading]:
    """The reading of each job, by key. Where no daemon runs nothing exists; where it is silent nothing is known.

    The daemon is asked for the objects of the jobs only: whoever polls a few of a thousand pays for a few.
    """
    wanted = [{"key": job.key, "id": job.id, "lineage": job.lineage} for job in jobs]
    try:
        listed = client.ask_if_running("list", **{what: wanted}).get(what, [])
    except ControlError as err:
        if err.code == "no-answer":
            return {job.key: Unreachable(str(err)) for job in jobs}
        raise provider_error(err) from None
    by_key = {item["key"]: item for item in listed}
    by_id = {(item["id"], item["lineage"]): item for item in listed}
    found = {job.key: by_key.get(job.key) or by_id.get((job.id, job.lineage)) for job in jobs}
    return {key: Absent() if item is None else seen(item) for key, item in found.items()}
