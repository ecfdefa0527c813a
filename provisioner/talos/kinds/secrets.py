"""The cluster's secrets, made once at its birth."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from provisioner.sdk import Absent, Answer, Context, Done, Job, Reading, Secret, Seen, Value, output, prop


@frozen
class SecretsProps:
    """`contract` is the configuration contract of the cluster's birth, such as `1.13`."""

    contract: str = prop(birth=True)


@frozen
class SecretsOutputs:
    """The layout of Talos's `secrets.yaml`; private leaves are secret, certificates and the id are not."""

    id: str = output()
    cluster: Mapping[str, str | Secret] = output()
    secrets: Mapping[str, str | Secret] = output()
    trustdinfo: Mapping[str, str | Secret] = output()
    certs: Mapping[str, Mapping[str, str | Secret]] = output()


@frozen
class SecretsKind:
    """`talos.secrets`. What is on record is the truth: there is no remote that could tell otherwise.

    A crash before the record loses a bundle that nothing has used yet, so making another one is right.
    `random(n)` gives n random bytes.
    """

    props: ClassVar[type[Any]] = SecretsProps
    outputs: ClassVar[type[Any]] = SecretsOutputs
    random: Callable[[int], bytes] = os.urandom

    def read(
        self, client: Any, jobs: Sequence[Job[SecretsProps, SecretsOutputs]], ctx: Context
    ) -> Mapping[str, Reading]:
        return {job.key: self._reading(job) for job in jobs}

    def _reading(self, job: Job[SecretsProps, SecretsOutputs]) -> Reading:
        if job.outputs is None:
            return Absent()
        props: dict[str, Value] = {"contract": job.applied.contract} if job.applied else {}
        return Seen(props)

    def create(self, client: Any, job: Job[SecretsProps, SecretsOutputs], ctx: Context) -> Answer:
        # Loaded here because the crypto library is heavy and most runs make no secrets.
        from provisioner.talos.pki.bundle import generate, to_tree
        from provisioner.talos.versions import Contract

        assert job.wanted is not None
        if job.outputs is not None:
            return Done(job.outputs)
        tree: Any = to_tree(generate(Contract.parse(job.wanted.contract), now=ctx.now(), random=self.random))
        return Done(SecretsOutputs(id=tree["cluster"]["id"], **tree))

    def update(self, client: Any, job: Job[SecretsProps, SecretsOutputs], ctx: Context) -> Answer:
        return Done(job.outputs)

    def delete(self, client: Any, job: Job[SecretsProps, SecretsOutputs], ctx: Context) -> Answer:
        return Done(None)
