"""Plans of toys from plain data: what is wanted, on record and found, as it stands in a YAML file.

    wanted:
      toy.thing/a: {size: 2, address: "${toy.thing/b.address}", token: "secret:x", _after: [...], _protect: true,
                    _provider: toy, _replace: create_first, _ignore: [parts.x], _adopts: id-there}
    state:
      toy.thing/a: {applied: {name: a, size: 1}, outputs: {...}, status: ready, depends_on: [...], ...}
    deposed:
      - {address: toy.thing/a, generation: 1, depends_on: [...], ...}
    seen:
      toy.thing/a: as-recorded | absent | unreachable | {name: a, size: 1, _outputs: {...}}
    moved: [[toy.thing/a, toy.thing/b], ...]
    providers: {other: {setting: "${toy.thing/a.address}"}}

A name is filled in where it is left out. A text `${kind/name.output}` is a reference, `shout ${…}` and `burst ${…}`
are calls over one, `sealed` is a secret that was not opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fakes import abilities
from fakes.toy import ToyProvider

from provisioner.graph.resources import ResourceGraph, build_graph
from provisioner.model.address import Address
from provisioner.model.functions import CORE
from provisioner.model.plan import Plan, ProviderUse
from provisioner.model.resource import Absent, Reading, Resource, Seen, Unreachable
from provisioner.model.rollout import Ground, Rollout, Watch
from provisioner.model.schema import Schema
from provisioner.model.state import Entry, Move, State, Status
from provisioner.model.value import Call, Ref, Sealed, Secret, Value
from provisioner.planner.build import PlanOptions, make_plan

_REF = re.compile(r"(?P<call>shout |burst )?\$\{(?P<to>[^}]+/[a-z0-9-]+)\.(?P<output>[a-z.]+)\}")
KINDS = {**ToyProvider.kinds, **abilities.KINDS}
FUNCTIONS = {**CORE, **ToyProvider.functions}


def value(raw: Any) -> Value:
    """Plain data as a value."""
    match raw:
        case Mapping():
            return {key: value(item) for key, item in raw.items()}
        case list():
            return tuple(value(item) for item in raw)
        case "sealed":
            return Sealed()
        case str() if raw.startswith("secret:"):
            return Secret(raw.removeprefix("secret:"))
        case str() if match := _REF.fullmatch(raw):
            ref = Ref(Address.parse(match["to"]), match["output"])
            return Call(f"toy.{match['call'].strip()}", (ref,)) if match["call"] else ref
        case _:
            return raw


def graph(case: Mapping[str, Any]) -> ResourceGraph:
    """What a case wants."""
    return build_graph(
        "demo",
        [_resource(Address.parse(text), raw) for text, raw in (case.get("wanted") or {}).items()],
        providers={name: ProviderUse(name, "toy", _mapping(raw)) for name, raw in _providers(case).items()},
        rollouts=tuple(_rollout(raw) for raw in case.get("rollouts") or ()),
        bindings={},
        outputs=_mapping(case.get("outputs") or {}),
        spec_digest="sha256:spec",
        moves=tuple(Move(Address.parse(origin), Address.parse(target)) for origin, target in case.get("moved") or ()),
    )


def _providers(case: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"toy": {}, **(case.get("providers") or {})}


def state(case: Mapping[str, Any]) -> State:
    """What a case has on record."""
    entries = [_entry(Address.parse(text), raw) for text, raw in (case.get("state") or {}).items()]
    outputs = _mapping(case.get("published") or {})
    deposed = [_deposed(raw) for raw in case.get("deposed") or ()]
    return State(
        "demo",
        "L",
        7,
        {entry.address: entry for entry in entries},
        {(entry.address, entry.generation): entry for entry in deposed},
        outputs=outputs,
    )


def seen(case: Mapping[str, Any], recorded: State) -> dict[Address, Reading]:
    """What a case finds; an entry that it does not mention is as recorded."""
    told = {Address.parse(text): raw for text, raw in (case.get("seen") or {}).items()}
    unasked = (Status.CREATING, Status.FAILED, Status.ADOPTING)
    asked = [e for e in recorded.entries.values() if e.status not in unasked and e.address.kind != "toy.gate"]
    raws = {**dict.fromkeys((entry.address for entry in asked), "as-recorded"), **told}
    return {
        address: _reading(address, recorded.entries.get(address), raw)
        for address, raw in raws.items()
        if raw != "not-asked" and address.kind != "toy.gate"
    }


def plan(case: Mapping[str, Any]) -> Plan:
    """The plan for a case."""
    recorded = state(case)
    options = case.get("options") or {}
    return make_plan(
        graph(case),
        recorded,
        seen(case, recorded),
        kind_of=lambda name: KINDS[name],
        functions=FUNCTIONS,
        versions={"toy": "1.0"},
        options=PlanOptions(options.get("destroy", False), frozenset(options.get("allow", ()))),
    )


def _resource(address: Address, raw: Mapping[str, Any] | None) -> Resource:
    raw = dict(raw or {})
    after = tuple(Address.parse(text) for text in raw.pop("_after", ()))
    return Resource(
        address=address,
        after=after,
        provider=raw.pop("_provider", "toy"),
        protect=raw.pop("_protect", False),
        replace=raw.pop("_replace", "delete_first"),
        ignore=tuple(raw.pop("_ignore", ())),
        adopts=raw.pop("_adopts", ""),
        props=_mapping(_named(address, raw)),
    )


def _deposed(raw: Mapping[str, Any]) -> Entry:
    raw = dict(raw)
    return _entry(Address.parse(raw.pop("address")), {**raw, "deposed": True})


def _entry(address: Address, raw: Mapping[str, Any] | None) -> Entry:
    raw = dict(raw or {})
    schema = Schema.of(KINDS[address.kind].props)
    for name in ("applied", "intended"):
        if name in raw or (name == "applied" and raw.get("status") not in ("creating", "adopting", "failed")):
            raw[name] = schema.recorded(schema.normal(_mapping(_named(address, raw.get(name) or {}))))
    for name in ("outputs",):
        raw[name] = _mapping(raw.get(name) or {"id": f"toy-{address.name}", "address": "10.0.0.1", "revision": 1})
    raw["depends_on"] = tuple(Address.parse(text) for text in raw.get("depends_on", ()))
    raw["owed"] = tuple(raw.get("owed", ()))
    raw["status"] = Status(raw.get("status", "ready"))
    return Entry(**{"address": address, "generation": 1, "provider": "toy", "key": f"key-{address.name}", **raw})


def _named(address: Address, props: Mapping[str, Any]) -> Mapping[str, Any]:
    named = "name" in Schema.of(KINDS[address.kind].props).fields
    return {"name": address.name, **props} if named else props


def _reading(address: Address, entry: Entry | None, raw: Any) -> Reading:
    match raw:
        case "as-recorded":
            assert entry is not None
            fields = Schema.of(KINDS[address.kind].props).fields
            return Seen({name: entry.applied[name] for name in entry.applied if fields[name].marks.readable})
        case "absent":
            return Absent()
        case "unreachable":
            return Unreachable("no route", datetime(2026, 11, 23, 12, 30, tzinfo=UTC))
        case _:
            props = {name: item for name, item in raw.items() if name != "_outputs"}
            return Seen(_mapping(_named(address, props)), _mapping(raw.get("_outputs", {})))


def _rollout(raw: Mapping[str, Any]) -> Rollout:
    return Rollout(
        members=tuple(Address.parse(text) for text in raw["members"]),
        max_unavailable=raw["max_unavailable"],
        reason=raw.get("reason", "one by one"),
        where=_mapping(raw.get("where") or {}),
        name=raw.get("name", "rollout"),
        before=_watch(raw.get("before")),
        after_each=_watch(raw.get("after_each")),
        failure_budget=raw.get("failure_budget", 0),
        on_failure=raw.get("on_failure", "stop"),
        grounds={Address.parse(member): _ground(on) for member, on in (raw.get("grounds") or {}).items()},
    )


def _ground(on: str) -> Ground:
    watches = {moment: Watch("toy.gate", "toy", {"watches": {moment: on}}) for moment in ("before", "after")}
    return Ground(Address.parse(on), told="may be away now", **watches)


def _watch(raw: Mapping[str, Any] | None) -> Watch | None:
    return None if raw is None else Watch("toy.gate", "toy", {"watches": _mapping(raw)})


def _mapping(raw: Mapping[str, Any]) -> Mapping[str, Value]:
    return {key: value(item) for key, item in raw.items()}
