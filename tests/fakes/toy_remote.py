"""The toy cloud as the conformance kit wants to see the back end of a provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from provisioner.conformance.back_end import BackEnd, Fault
from provisioner.conformance.toy import Cloud, ToyProvider
from provisioner.model.address import Address
from provisioner.model.schema import Schema
from provisioner.model.value import Value
from provisioner.sdk import EndpointDown, OperatorNeeded, ProviderError, Retry, Throttled


@define
class ToyRemote(BackEnd):
    """A cloud, and the faults that its next calls meet."""

    cloud: Cloud = field(factory=Cloud)
    kinds: Mapping[str, Any] = field(factory=lambda: ToyProvider.kinds)
    _waiting: list[tuple[str, str, Exception]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.cloud.watch = self._watch

    def existing(self) -> frozenset[str]:
        return frozenset(thing.id for thing in self.cloud.things.values())

    def requests(self) -> int:
        return len(self.cloud.calls) + len(self.cloud.reads)

    def writes(self) -> int:
        return self.cloud.writes

    def lose(self, id_: str) -> None:
        self.cloud.things = {key: thing for key, thing in self.cloud.things.items() if thing.id != id_}

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        if verb == "read":
            self.cloud.script("read", "", _error(fault))
        else:
            self._waiting.append(("after" if fault == "lost" else "before", verb, _error(fault)))
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        names = {thing.address.name for thing in self.cloud.things.values()}
        self.cloud.unreachable |= names
        yield
        self.cloud.unreachable -= names

    def by_hand(self, kind: str, props: Mapping[str, Value]) -> str:
        made = Schema.of(self.kinds[kind].props).build(props)
        return self.cloud.plant(Address(kind, "by-hand"), made).id

    def shown(self) -> str:
        return "\n".join(thing.remote for thing in self.cloud.things.values())

    def _watch(self, moment: str, verb: str, job: Any) -> None:
        if self._waiting and self._waiting[0][:2] == (moment, verb):
            raise self._waiting.pop(0)[2]


def _error(fault: Fault) -> ProviderError:
    match fault:
        case "throttled":
            return Throttled("the cloud asks to call less often")
        case "denied":
            return OperatorNeeded("the cloud denies the call", remedy="ask for the right to make it")
        case "quota":
            return OperatorNeeded("the cloud has no more room", remedy="ask for more")
        case "conflict":
            return Retry("the thing is busy")
        case "timeout" | "lost":
            return EndpointDown("the cloud does not answer")
