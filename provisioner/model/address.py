"""What a resource is called: `kind/name`."""

from __future__ import annotations

import re

from attrs import field, frozen

_ADDRESS = re.compile(r"(?P<kind>[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)/(?P<name>[a-z0-9]([a-z0-9._-]*[a-z0-9])?)")


@frozen(order=True)
class Address:
    """A resource by kind and name, such as `sim.machine/control-1`.

    Which provider instance serves it is a field of the resource, never part of its name.
    """

    kind: str
    name: str
    _hash: int = field(init=False, repr=False, eq=False, order=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.kind, self.name)))

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def provider_type(self) -> str:
        """The type of provider that owns the kind: `sim` for `sim.machine`."""
        return self.kind.partition(".")[0]

    @classmethod
    def parse(cls, text: str) -> Address:
        """Reads `kind/name`; raises ValueError naming the expected form."""
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an address; one looks like sim.machine/control-1")
        return cls(match["kind"], match["name"])
