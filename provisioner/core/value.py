"""A value on record: it costs nothing, orders others, and makes itself anew when it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from provisioner.sdk import Absent, Answer, Context, Done, Job, Reading, Seen, output, prop


@frozen
class ValueProps:
    """`value` is kept as it is; a change of `replace_when` makes a new object of it, with a new id."""

    value: Any = prop(default=None)  # noqa: RUF009
    replace_when: Any = prop(immutable=True, default=None)  # noqa: RUF009


@frozen
class ValueOutputs:
    """`id` is fresh for each object and stays through changes of the value; `value` is what was given."""

    id: str = output()
    value: Any = output(volatile=True)  # noqa: RUF009


@frozen
class ValueKind:
    """A value of your own, kept in the state: nothing is made anywhere.

    What is on record is the truth, so reading asks nobody, and a crash before the record has lost nothing.
    """

    props: ClassVar[type[Any]] = ValueProps
    outputs: ClassVar[type[Any]] = ValueOutputs

    def read(self, client: Any, jobs: Sequence[Job[ValueProps, ValueOutputs]], ctx: Context) -> Mapping[str, Reading]:
        return {job.key: self._reading(job) for job in jobs}

    def _reading(self, job: Job[ValueProps, ValueOutputs]) -> Reading:
        if job.outputs is None or job.applied is None:
            return Absent()
        return Seen({"value": job.applied.value, "replace_when": job.applied.replace_when})

    def create(self, client: Any, job: Job[ValueProps, ValueOutputs], ctx: Context) -> Answer:
        return self._kept(job)

    def update(self, client: Any, job: Job[ValueProps, ValueOutputs], ctx: Context) -> Answer:
        return self._kept(job)

    def _kept(self, job: Job[ValueProps, ValueOutputs]) -> Answer:
        assert job.wanted is not None
        return Done(ValueOutputs(id=job.key, value=job.wanted.value))

    def delete(self, client: Any, job: Job[ValueProps, ValueOutputs], ctx: Context) -> Answer:
        return Done(None)
