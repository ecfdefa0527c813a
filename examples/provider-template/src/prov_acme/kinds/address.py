"""`acme.address`: a fixed address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from prov_acme.client import Acme
from provisioner.sdk import Answer, Context, Done, Job, Reading, Seen, output, prop


@frozen
class AddressProps:
    """An address has a name and nothing else."""

    name: str = prop(immutable=True)


@frozen
class AddressOutputs:
    """`host` is an IPv4 address."""

    id: str = output()
    host: str = output()


class AddressKind:
    """Addresses; they are there as soon as they are asked for."""

    props: ClassVar[type[Any]] = AddressProps
    outputs: ClassVar[type[Any]] = AddressOutputs

    def read(self, client: Acme, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        found = client.find("address", jobs)
        return {key: _seen(thing) if isinstance(thing, Mapping) else thing for key, thing in found.items()}

    def create(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        assert job.wanted is not None
        thing = client.make("address", job, job.wanted.name, {"name": job.wanted.name})
        return Done(AddressOutputs(thing["id"], thing["host"]))

    def update(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        """Nothing of an address changes in place."""
        return Done(job.outputs)

    def delete(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        client.remove("address", job)
        return Done(None)


def _seen(thing: Mapping[str, Any]) -> Seen:
    return Seen({"name": thing["body"]["name"]}, {"id": thing["id"], "host": thing["host"]})
