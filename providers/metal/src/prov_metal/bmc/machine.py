"""The machine behind a BMC: found from the service root, by links only.

No path is ever put together, since vendors name things as they like.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

from attrs import define, field

from prov_metal.bmc.quirks import Habits, Make, Quirk, habits_of
from prov_metal.bmc.refusals import GONE
from prov_metal.bmc.wire import Wire
from provisioner.sdk import Fatal, Retry

Resource: TypeAlias = Mapping[str, Any]


@define
class Machine:
    """One machine. What cannot change (paths, who made it) is asked for once."""

    wire: Wire
    quirks: tuple[Quirk, ...]
    _path: str = field(init=False, default="")
    _managed_by: Any = field(init=False, default=None)
    _make: Make | None = field(init=False, default=None)
    _habits: Habits | None = field(init=False, default=None)

    @property
    def base(self) -> str:
        """Where the BMC is, for errors."""
        return self.wire.access.address.base

    def system(self) -> Resource:
        """Everything about it, as it is now. Raises Retry where the BMC has forgotten it, as while it starts."""
        path = self._path or self._found()
        reply = self.wire.ask("GET", path)
        if reply.status in GONE and self._path:  # it may have another name since the BMC has restarted
            path = self._found()
            reply = self.wire.ask("GET", path)
        if not reply.fine:
            raise self.wire.refused(reply, f"GET {path}")
        if path != self._path:
            self._path, self._managed_by = path, None
        return reply.body

    def managers(self) -> Iterator[Resource]:
        """The controllers that manage it, those that cannot be read left out."""
        if self._managed_by is None:
            self._managed_by = (self.system().get("Links") or {}).get("ManagedBy")
        yield from self.linked(self._managed_by)

    def make(self) -> Make:
        """Who made it, as the inventory says it before all, and its first manager."""
        if self._make is None:
            system, manager = self.system(), next(self.managers(), {})
            vendor = self.wire.access.address.vendor or system.get("Manufacturer")
            texts = (vendor, system.get("Model"), manager.get("Model"))
            made = Make(*(str(text or "") for text in (*texts, manager.get("FirmwareVersion"))))
            if self._managed_by and not manager:
                return made  # not all of it can be read now
            self._make = made
        return self._make

    def habits(self) -> Habits:
        if self._habits is None:
            found = habits_of(self.make(), self.quirks)
            if self._make is None:
                return found
            self._habits = found
        return self._habits

    def members(self, link: Any) -> Iterator[Resource]:
        """The members of a collection that is linked to, those that cannot be read left out."""
        if isinstance(link, Mapping) and "@odata.id" in link:
            yield from self.linked(self.wire.ask("GET", str(link["@odata.id"])).body.get("Members"))

    def linked(self, links: Any) -> Iterator[Resource]:
        """What a list of links leads to, as far as it can be read."""
        for link in links if isinstance(links, list) else ():
            if isinstance(link, Mapping) and "@odata.id" in link:
                reply = self.wire.ask("GET", str(link["@odata.id"]))
                if reply.fine:
                    yield placed(reply.body, str(link["@odata.id"]))

    def _found(self) -> str:
        """The path of the machine. Raises Fatal where there are several, or another; Retry where there is none."""
        links = self.wire.get(linked_to(self.wire.root(), "Systems")).get("Members") or ()
        systems = [str(link["@odata.id"]) for link in links]
        if not systems:
            raise _starts(f"{self.base} has no systems")
        wanted = self.wire.access.address.system
        fitting = [path for path in systems if not wanted or last_part(path) == wanted]
        if len(fitting) != 1:
            raise Fatal(
                "a BMC has another number of systems than one",
                detail=f"{self.base} has {', '.join(systems)}",
                remedy="name the system behind the BMC's address, as in redfish://HOST/Systems/1",
                effect=False,
            )
        return fitting[0]


def placed(body: Resource, path: str) -> Resource:
    """A resource that says where it is, which some do not."""
    return body if body.get("@odata.id") else ChainMap({"@odata.id": path}, cast(dict[str, Any], body))


def last_part(path: str) -> str:
    """What stands behind the last slash."""
    return path.rstrip("/").rpartition("/")[2]


def linked_to(resource: Resource, name: str) -> str:
    """Where a property leads. Raises Fatal where it leads nowhere."""
    link = resource.get(name)
    if not isinstance(link, Mapping) or "@odata.id" not in link:
        raise _lacking(f"{resource.get('@odata.id', 'its root')} has no {name}")
    return str(link["@odata.id"])


def action(resource: Resource, name: str) -> Resource:
    """An action with its target. Raises Fatal where there is none."""
    found = (resource.get("Actions") or {}).get(name)
    if not isinstance(found, Mapping) or "target" not in found:
        raise _lacking(f"{resource.get('@odata.id', '')} has no action {name}")
    return found


def _starts(detail: str) -> Retry:
    return Retry(
        "a BMC does not know its machine",
        detail=detail,
        remedy="it is asked again; it may be about to start",
        after_s=10.0,
    )


def _lacking(detail: str) -> Fatal:
    return Fatal(
        "a BMC lacks what prov needs",
        detail=detail,
        remedy="update the BMC's firmware, or write another driver's address into the inventory",
        effect=False,
    )
