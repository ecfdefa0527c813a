"""A plan as a file: self-contained, and sealed where it is secret.

The file is one JSON object. Its secrets are sealed with the state's data key and bound to their step; the
wrapped key is not in it, so the file is worth nothing without the state it was made from. `digest` covers the
body, and is in `seal` once more, sealed: so whoever has not the key can make or alter no plan, and a plan without
secrets, too, goes with its key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import attrs

from provisioner.errors import PlanRefused, StateError
from provisioner.model.address import Address
from provisioner.model.plan import Base, Plan, ProviderUse
from provisioner.model.rollout import Rollout, Watch
from provisioner.model.state import Move
from provisioner.model.step import Adopt, Check, Create, Delete, FieldChange, Forget, LookUp, Run, Step, Update
from provisioner.model.value import Origin, Value
from provisioner.state.codec import Seal, decode, dumps, encode

FORMAT = 2
_SEALED = "plan|digest"
"""What the sealed digest is bound to."""
_VERBS: Mapping[str, type[Step]] = {
    kind.verb: kind for kind in (Create, Adopt, Update, Run, Delete, Forget, Check, LookUp)
}


def plan_bytes(plan: Plan, seal: Seal) -> bytes:
    """The file. What is kept needs no step in it; renderings of it show what it will do, not why it does no more.

    Raises PlanRefused for a blocked plan: a file does not carry what speaks against it.
    """
    if plan.blocked:
        raise PlanRefused(
            "a blocked plan cannot be saved",
            detail="; ".join(problem.summary for problem in plan.problems),
            remedy="solve what blocks it, then save it",
        )
    body = {
        "cluster": plan.cluster,
        "base": {
            "lineage": plan.base.lineage,
            "serial": plan.base.serial,
            "spec_digest": plan.base.spec_digest,
            "providers": dict(plan.base.providers),
        },
        "providers": {
            use.name: {"type": use.type, "settings": encode(use.settings, seal, f"plan|{use.name}")}
            for use in plan.providers.values()
        },
        "steps": [_step_out(step, seal) for step in plan.work],
        "destroys": plan.destroys,
        "refreshed": plan.refreshed,
        "rollouts": [_rollout_out(rollout, seal) for rollout in plan.rollouts],
        "moves": [[str(move.origin), str(move.target)] for move in plan.moves],
        "found": {str(to): encode(outputs, seal, f"plan|found|{to}") for to, outputs in plan.found.items()},
        "bindings": dict(plan.bindings),
        "outputs": encode(plan.outputs, seal, "plan|outputs"),
        "outputs_changed": plan.outputs_changed,
    }
    digest = _digest(dumps(body))
    outer = {"prov_plan": FORMAT, "digest": digest, "seal": seal.close(digest, _SEALED), "body": body}
    return dumps(outer).encode() + b"\n"


def read_plan(raw: bytes, seal: Seal) -> Plan:
    """The plan in a file; raises PlanRefused when it is none, was altered, or was sealed with another key."""
    try:
        outer = json.loads(raw)
        version, body = outer["prov_plan"], outer["body"]
    except (ValueError, KeyError, TypeError):
        raise PlanRefused("this file is not a plan", remedy="make one with `prov plan --out FILE`") from None
    if version != FORMAT:
        raise PlanRefused(
            "this plan was made by another version of prov",
            detail=f"it has format {version}, this prov reads {FORMAT}",
            remedy="make a new one with `prov plan --out FILE`",
        )
    try:
        _must_be_whole(_digest(dumps(body)), outer["digest"], outer["seal"], seal)
        return _plan_in(body, seal)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise PlanRefused("this file is not a plan", remedy="make one with `prov plan --out FILE`") from None
    except StateError:  # it is as it was made, so what does not open was sealed with another key
        raise PlanRefused(
            "this plan was sealed with another key",
            detail="it was made for another state, or before the state got a new data key; or its seal was altered",
            remedy="make a new one with `prov plan --out FILE`",
        ) from None


def _must_be_whole(digest: str, told: str, sealed: str, seal: Seal) -> None:
    """Raises PlanRefused where a digest is not the one told, or not the one sealed; StateError where none opens."""
    if digest != told or seal.open(sealed, _SEALED) != digest:
        raise PlanRefused(
            "this plan file was altered",
            detail="its content does not match its digest",
            remedy="make a new one with `prov plan --out FILE`",
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _step_out(step: Step, seal: Seal) -> dict[str, Any]:
    """The step without what is as it is anyway."""
    raw: dict[str, Any] = {"verb": step.verb}
    for item in attrs.fields(type(step)):
        value = getattr(step, item.name)
        if value != item.default:
            raw[item.name] = _out(item.name, value, seal, f"plan|{step.id}")
    return raw


def _out(name: str, value: Any, seal: Seal, bound: str) -> Any:
    match name:
        case "wanted":
            return encode(value, seal, bound)
        case "changes":
            return [_change_out(change, seal, bound) for change in value]
        case _:
            return _plain(value)


def _change_out(change: FieldChange, seal: Seal, bound: str) -> dict[str, Any]:
    return {
        "path": list(change.path),
        "before": encode(change.before, seal, bound),
        "after": encode(change.after, seal, bound),
        "origin": [change.origin.file, change.origin.line] if change.origin else None,
    }


def _rollout_out(rollout: Rollout, seal: Seal) -> dict[str, Any]:
    bound = f"plan|rollout|{rollout.name}"
    return {
        "members": _plain(rollout.members),
        "max_unavailable": rollout.max_unavailable,
        "reason": rollout.reason,
        "where": encode(rollout.where, seal, bound),
        "name": rollout.name,
        "before": _watch_out(rollout.before, seal, bound),
        "after_each": _watch_out(rollout.after_each, seal, bound),
        "failure_budget": rollout.failure_budget,
        "on_failure": rollout.on_failure,
        "turns": _plain(rollout.turns),
    }


def _watch_out(watch: Watch | None, seal: Seal, bound: str) -> Any:
    return None if watch is None else [watch.kind, watch.provider, encode(watch.props, seal, bound)]


def _plain(value: Any) -> Any:
    if isinstance(value, Address):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _plan_in(body: Mapping[str, Any], seal: Seal) -> Plan:
    base = body["base"]
    return Plan(
        cluster=body["cluster"],
        steps=tuple(_step_in(raw, seal) for raw in body["steps"]),
        base=Base(base["lineage"], base["serial"], base["spec_digest"], base["providers"]),
        providers={
            name: ProviderUse(name, raw["type"], _mapping(decode(raw["settings"], seal, f"plan|{name}")))
            for name, raw in body["providers"].items()
        },
        destroys=body["destroys"],
        refreshed=body["refreshed"],
        rollouts=tuple(_rollout_in(raw, seal) for raw in body["rollouts"]),
        bindings=body["bindings"],
        outputs=_mapping(decode(body["outputs"], seal, "plan|outputs")),
        outputs_changed=body["outputs_changed"],
        moves=tuple(Move(Address.parse(origin), Address.parse(target)) for origin, target in body["moves"]),
        found={
            Address.parse(to): _mapping(decode(raw, seal, f"plan|found|{to}")) for to, raw in body["found"].items()
        },
    )


def _step_in(raw: Mapping[str, Any], seal: Seal) -> Step:
    kind = _VERBS[raw["verb"]]
    part = f"#{raw['part']}" if "part" in raw else ""
    bound = f"plan|{raw['verb']}:{raw['address']}{part}"
    known = {item.name for item in attrs.fields(kind)}
    return kind(**{name: _in(name, value, seal, bound) for name, value in raw.items() if name in known})


def _in(name: str, raw: Any, seal: Seal, bound: str) -> Any:
    match name:
        case "address":
            return Address.parse(raw)
        case "depends_on":
            return tuple(map(Address.parse, raw))
        case "wanted":
            return _mapping(decode(raw, seal, bound))
        case "changes":
            return tuple(_change_in(change, seal, bound) for change in raw)
        case _:
            return tuple(raw) if isinstance(raw, list) else raw


def _change_in(raw: Mapping[str, Any], seal: Seal, bound: str) -> FieldChange:
    origin = Origin(*raw["origin"]) if raw["origin"] else None
    before, after = decode(raw["before"], seal, bound), decode(raw["after"], seal, bound)
    return FieldChange(tuple(raw["path"]), before, after, origin)


def _rollout_in(raw: Mapping[str, Any], seal: Seal) -> Rollout:
    bound = f"plan|rollout|{raw['name']}"
    return Rollout(
        members=tuple(map(Address.parse, raw["members"])),
        max_unavailable=raw["max_unavailable"],
        reason=raw["reason"],
        where=_mapping(decode(raw["where"], seal, bound)),
        name=raw["name"],
        before=_watch_in(raw["before"], seal, bound),
        after_each=_watch_in(raw["after_each"], seal, bound),
        failure_budget=raw["failure_budget"],
        on_failure=raw["on_failure"],
        turns=tuple(map(tuple, raw["turns"])),
    )


def _watch_in(raw: Any, seal: Seal, bound: str) -> Watch | None:
    return None if raw is None else Watch(raw[0], raw[1], _mapping(decode(raw[2], seal, bound)))


def _mapping(value: Value) -> Mapping[str, Value]:
    if not isinstance(value, Mapping):
        raise TypeError("a mapping was expected")
    return value
