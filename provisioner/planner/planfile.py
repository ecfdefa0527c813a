"""A plan as a file: self-contained, sealed where it is secret, and refused once it is stale.

The file is one JSON object. Its secrets are sealed with the state's data key and bound to their step; the
wrapped key is not in it, so the file is worth nothing without the state it was made from. `digest` covers all
the rest, so an edited file is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from provisioner.errors import PlanRefused, StateError
from provisioner.model.address import Address
from provisioner.model.plan import Base, Plan, ProviderUse
from provisioner.model.rollout import Rollout
from provisioner.model.state import State
from provisioner.model.step import Check, Create, Delete, FieldChange, Forget, Step, Update
from provisioner.model.value import Origin, Value, refs
from provisioner.state.codec import Seal, decode, dumps, encode

FORMAT = 1
_VERBS: Mapping[str, type[Step]] = {kind.verb: kind for kind in (Create, Update, Delete, Forget, Check)}
_PLAIN = ("address", "provider", "generation", "after", "reasons", "consequence", "depends_on", "protect")
_EXTRA = ("replaces", "how", "replaced")


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
        "rollouts": [_rollout_out(rollout) for rollout in plan.rollouts],
        "bindings": dict(plan.bindings),
        "outputs": encode(plan.outputs, seal, "plan|outputs"),
        "outputs_changed": plan.outputs_changed,
    }
    text = dumps(body)
    return dumps({"prov_plan": FORMAT, "digest": _digest(text), "body": body}).encode() + b"\n"


def read_plan(raw: bytes, seal: Seal) -> Plan:
    """The plan in a file; raises PlanRefused when it is none, or was altered."""
    try:
        outer = json.loads(raw)
        version, digest, body = outer["prov_plan"], outer["digest"], outer["body"]
    except (ValueError, KeyError, TypeError):
        raise PlanRefused("this file is not a plan", remedy="make one with `prov plan --out FILE`") from None
    if version != FORMAT:
        raise PlanRefused(
            "this plan was made by another version of prov",
            detail=f"it has format {version}, this prov reads {FORMAT}",
            remedy="make a new one with `prov plan --out FILE`",
        )
    if _digest(dumps(body)) != digest:
        raise PlanRefused(
            "this plan file was altered",
            detail="its content does not match its digest",
            remedy="make a new one with `prov plan --out FILE`",
        )
    try:
        return _plan_in(body, seal)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise PlanRefused("this file is not a plan", remedy="make one with `prov plan --out FILE`") from None
    except StateError:  # it is whole, so what does not open was sealed with another key
        raise PlanRefused(
            "this plan was sealed with another key",
            detail="it was made for another state, or before the state got a new data key",
            remedy="make a new one with `prov plan --out FILE`",
        ) from None


def stale(plan: Plan, state: State, versions: Mapping[str, str]) -> str:
    """Why a plan made earlier no longer fits, empty if it does."""
    if plan.base.lineage != state.lineage:
        return "it was made for another state"
    for type_, version in plan.base.providers.items():
        if versions.get(type_) != version:
            return f"the provider {type_} was {version} then and is {versions.get(type_, 'not installed')} now"
    made = {step.address for step in plan.steps}
    for step in plan.work:
        touched = [step.address]
        if isinstance(step, Create | Update | Check):
            touched += [ref.to for ref in refs(dict(step.wanted)) if ref.to not in made]
        for address in touched:
            entry = state.entries.get(address)
            if entry is not None and entry.serial > plan.base.serial:
                return f"{address} has changed since"
            needed = isinstance(step, Update | Delete) or address != step.address
            if entry is None and needed:
                return f"{address} is gone since"
    return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _step_out(step: Step, seal: Seal) -> dict[str, Any]:
    raw: dict[str, Any] = {"verb": step.verb}
    for name in (*_PLAIN, *_EXTRA):
        value = getattr(step, name, None)
        if value not in (None, "", (), False):
            raw[name] = _plain(value)
    bound = f"plan|{step.id}"
    if isinstance(step, Create | Update | Check):
        raw["wanted"] = encode(step.wanted, seal, bound)
    if isinstance(step, Update):
        raw["changes"] = [
            {
                "path": list(change.path),
                "before": encode(change.before, seal, bound),
                "after": encode(change.after, seal, bound),
                "origin": [change.origin.file, change.origin.line] if change.origin else None,
            }
            for change in step.changes
        ]
    return raw


def _rollout_out(rollout: Rollout) -> dict[str, Any]:
    members = [str(member) for member in rollout.members]
    return {"members": members, "max_unavailable": rollout.max_unavailable, "reason": rollout.reason}


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
        rollouts=tuple(
            Rollout(tuple(map(Address.parse, raw["members"])), raw["max_unavailable"], raw["reason"])
            for raw in body["rollouts"]
        ),
        bindings=body["bindings"],
        outputs=_mapping(decode(body["outputs"], seal, "plan|outputs")),
        outputs_changed=body["outputs_changed"],
    )


def _step_in(raw: Mapping[str, Any], seal: Seal) -> Step:
    fields: dict[str, Any] = {name: raw[name] for name in (*_PLAIN, *_EXTRA) if name in raw}
    fields["address"] = Address.parse(raw["address"])
    for name in ("after", "reasons"):
        fields[name] = tuple(raw.get(name, ()))
    if "depends_on" in raw:
        fields["depends_on"] = tuple(Address.parse(text) for text in raw["depends_on"])
    bound = f"plan|{raw['verb']}:{raw['address']}"
    if "wanted" in raw:
        fields["wanted"] = decode(raw["wanted"], seal, bound)
    if "changes" in raw:
        fields["changes"] = tuple(_change_in(change, seal, bound) for change in raw["changes"])
    return _VERBS[raw["verb"]](**fields)


def _change_in(raw: Mapping[str, Any], seal: Seal, bound: str) -> FieldChange:
    origin = Origin(*raw["origin"]) if raw["origin"] else None
    before, after = decode(raw["before"], seal, bound), decode(raw["after"], seal, bound)
    return FieldChange(tuple(raw["path"]), before, after, origin)


def _mapping(value: Value) -> Mapping[str, Value]:
    assert isinstance(value, Mapping)
    return value
