"""The cluster's image schematic, told to the factory before anything boots from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from provisioner.sdk import (
    Absent,
    Answer,
    Context,
    Done,
    Fatal,
    Job,
    OperatorNeeded,
    Reading,
    Seen,
    Value,
    output,
    prop,
)
from provisioner.talos.images.factory import Factory, check_available


@frozen
class SchematicProps:
    """What images are made of.

    factory     the factory's URL
    id          of the schematic
    recipe      the schematic as the factory takes it; empty where only its id is known
    version     the release, such as `v1.13.9`
    extensions  that the release must have
    overlay     the name of one that it must have, or empty
    """

    factory: str = prop()
    id: str = prop()
    recipe: str = prop()
    version: str = prop()
    extensions: tuple[str, ...] = prop(default=())
    overlay: str = prop(default="")


@frozen
class SchematicOutputs:
    """`id` is the schematic's."""

    id: str = output(volatile=True)


SchematicJob = Job[SchematicProps, SchematicOutputs]


@frozen
class SchematicKind:
    """`talos.schematic`. A factory never loses a schematic, so what is on record is believed, and plans ask nobody.

    Nothing is removed either: a schematic belongs to everybody who has the same wishes.
    """

    props: ClassVar[type[Any]] = SchematicProps
    outputs: ClassVar[type[Any]] = SchematicOutputs
    factory: Callable[[str], Factory] = Factory

    def read(self, client: Any, jobs: Sequence[SchematicJob], ctx: Context) -> Mapping[str, Reading]:
        return {job.key: self._reading(job) for job in jobs}

    def _reading(self, job: SchematicJob) -> Reading:
        applied = job.applied
        if job.outputs is None or applied is None:
            return Absent()
        props: dict[str, Value] = {
            "factory": applied.factory,
            "id": applied.id,
            "recipe": applied.recipe,
            "version": applied.version,
            "extensions": applied.extensions,
            "overlay": applied.overlay,
        }
        return Seen(props)

    def create(self, client: Any, job: SchematicJob, ctx: Context) -> Answer:
        assert job.wanted is not None
        wanted, factory = job.wanted, self.factory(job.wanted.factory)
        check_available(factory, wanted.version, wanted.extensions, wanted.overlay)
        register(factory, wanted.id, wanted.recipe)
        return Done(SchematicOutputs(id=wanted.id))

    def update(self, client: Any, job: SchematicJob, ctx: Context) -> Answer:
        return self.create(client, job, ctx)

    def delete(self, client: Any, job: SchematicJob, ctx: Context) -> Answer:
        return Done(None)


def register(factory: Factory, schematic_id: str, recipe: str) -> None:
    """Makes sure that the factory knows a schematic, and by this id.

    Raises OperatorNeeded where it knows none of the id and there is no recipe, Fatal where the recipe has another
    id there.
    """
    if factory.schematic(schematic_id) is not None:
        return
    if not recipe:
        raise OperatorNeeded(
            "the image factory does not know this schematic",
            detail=f"{factory.url} has none with the id {schematic_id}",
            remedy="check talos.schematic_id, or write what the image shall have under talos.schematic",
        )
    found = factory.register(recipe)
    if found != schematic_id:
        raise Fatal(
            "the image factory has another id for this schematic",
            detail=f"{factory.url} calls it {found}; it was taken for {schematic_id}",
            remedy=f"write schematic_id: {found} under `talos:`",
            effect=False,
        )
