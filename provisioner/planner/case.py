"""One wanted object with all that is known of it, and the steps that may follow."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from provisioner.errors import Problem
from provisioner.model.address import Address
from provisioner.model.resource import Reading, Resource, Seen
from provisioner.model.state import Entry
from provisioner.model.step import Adopt, Check, Create, FieldChange, Keep, LookUp, Update
from provisioner.model.value import Value
from provisioner.planner.expand import Changing, expanded, owed_by
from provisioner.planner.ignored import Ignored
from provisioner.planner.kinds import Known

CHANGED_OUTSIDE = "changed outside prov"
"""The reason of a change that only puts back what somebody else did."""


@frozen(eq=False)
class Case:
    """`wanted` are the props as far as they are known now, with defaults, `needs` what they and the file lean on."""

    resource: Resource
    kind: Known
    needs: tuple[Address, ...]
    wanted: Mapping[str, Value]
    entry: Entry | None
    reading: Reading | None

    @property
    def address(self) -> Address:
        return self.resource.address

    @property
    def props(self) -> Mapping[str, Value]:
        """The props as the file has them, secret ones concealed."""
        return self.kind.closed(self.resource.props)

    @property
    def found(self) -> Mapping[str, Value]:
        """The props that reading found, secret ones concealed; empty where nothing was read."""
        if not isinstance(self.reading, Seen):
            return {}
        known = self.kind.props.fields
        return self.kind.closed({name: value for name, value in self.reading.props.items() if name in known})

    @property
    def ignored(self) -> Ignored:
        return Ignored.of(self.resource.ignore)

    def keep(self, *notes: str) -> Keep:
        """Nothing to do."""
        return Keep(
            depends_on=self.needs,
            address=self.address,
            provider=self.resource.provider,
            generation=self.entry.generation if self.entry else 1,
            notes=notes,
        )

    def check(self, reason: str) -> Check:
        """The gate has to pass."""
        return Check(
            address=self.address,
            provider=self.resource.provider,
            generation=self.entry.generation if self.entry else 1,
            reasons=(reason,),
            wanted=self.props,
            depends_on=self.needs,
        )

    def look_up(self) -> LookUp:
        """It is to be found during apply."""
        return LookUp(address=self.address, provider=self.resource.provider, wanted=self.props)

    def create(
        self,
        generation: int,
        reasons: tuple[str, ...],
        *,
        replaces: bool = False,
        deposes: bool = False,
        gone: bool = False,
    ) -> Create:
        """Make it; `gone` says that somebody else removed it."""
        born, weighs = self.kind.born, self.kind.weighs
        return Create(
            address=self.address,
            provider=self.resource.provider,
            generation=generation,
            reasons=reasons,
            consequence=born.birth(self.kind.closed(self.wanted)) if born is not None else "",
            severity=weighs.severity(()) if weighs is not None and gone else "",
            wanted=self.props,
            depends_on=self.needs,
            protect=self.resource.protect,
            replaces=replaces,
            deposes=deposes,
        )

    def adopt(self, remote: str, standing: Mapping[str, Value], generation: int, reasons: tuple[str, ...]) -> Adopt:
        """Take it over as it stands there."""
        return Adopt(
            address=self.address,
            provider=self.resource.provider,
            generation=generation,
            reasons=reasons,
            remote=remote,
            wanted=standing,
            depends_on=self.needs,
            protect=self.resource.protect,
        )

    def update(
        self,
        standing: Mapping[str, Value],
        changes: tuple[FieldChange, ...],
        generation: int,
        reasons: tuple[str, ...],
        problems: list[Problem],
    ) -> Changing:
        """Change it in place, from how it stands to what the file says; ignored paths are written as they stand."""
        tells, weighs, ignored = self.kind.tells, self.kind.weighs, self.ignored
        props = self.props
        if ignored:
            left = {name: value for name, value in standing.items() if name not in self.kind.props.birth}
            props = ignored.left_alone(props, self.wanted, left)
        whole = Update(
            address=self.address,
            provider=self.resource.provider,
            generation=generation,
            reasons=reasons,
            consequence=tells.consequence(changes) if tells is not None else "",
            severity=weighs.severity(changes) if weighs is not None and CHANGED_OUTSIDE in reasons else "",
            wanted=props,
            changes=changes,
            depends_on=self.needs,
            protect=self.resource.protect,
        )
        return expanded(whole, self.kind, owed_by(self.entry), problems)
