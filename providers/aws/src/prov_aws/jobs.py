"""What a job is about, where the protocol leaves open whether it is said."""

from __future__ import annotations

from typing import Any

from provisioner.sdk import Job


def asked(job: Job[Any, Any]) -> Any:
    """The props to reach, of a job that makes or changes something: the engine sees to it that there are some."""
    assert job.wanted is not None, "the engine creates and updates with known props"
    return job.wanted


def said(job: Job[Any, Any]) -> Any:
    """The props as they were last said: those to reach, else those on record; None where there are neither."""
    return job.wanted if job.wanted is not None else job.applied
