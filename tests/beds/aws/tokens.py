"""Client tokens: a call that is repeated with its token is answered as the first time, and done once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen
from beds.aws.calls import Answer, Call
from beds.aws.rules import Refusal

_NO_MATTER = {"DryRun", "ClientToken"}


@frozen
class _Kept:
    params: Mapping[str, Any]
    answer: Answer


@define
class Tokens:
    """Answers by account, region, action and token.

    A token works for the EC2 actions whose input has one. Other parameters with it are refused, and so is the token
    of an instance that was terminated.
    """

    _kept: dict[tuple[str, str, str, str], _Kept] = field(factory=dict)
    _ended: set[tuple[str, str, str, str]] = field(factory=set)
    _instances: dict[str, tuple[str, str, str, str]] = field(factory=dict)

    def recall(self, call: Call) -> Answer | None:
        """The answer this call had before; raises Refusal where it is not the same call."""
        kept = self._kept.get(_key(call)) if _has_token(call) else None
        if kept is None:
            return None
        if kept.params != _asked(call):
            raise Refusal(
                "IdempotentParameterMismatch",
                "The client token is used with different request parameters than the original request.",
            )
        if _key(call) in self._ended:
            raise Refusal(
                "IdempotentInstanceTerminated",
                "The instance that was launched with this client token is terminated.",
            )
        return kept.answer

    def keep(self, call: Call, answer: Answer, ids: tuple[str, ...]) -> None:
        """Remembers the answer of a call that had its effect, with the instances that came of it."""
        if _has_token(call):
            self._kept[_key(call)] = _Kept(_asked(call), answer)
            self._instances.update(dict.fromkeys(ids, _key(call)))

    def terminated(self, instance: str) -> None:
        """The token of this instance is worthless from now on."""
        if instance in self._instances:
            self._ended.add(self._instances[instance])


def _has_token(call: Call) -> bool:
    return call.service == "ec2" and bool(call.params.get("ClientToken"))


def _key(call: Call) -> tuple[str, str, str, str]:
    return call.account, call.region, call.action, str(call.params["ClientToken"])


def _asked(call: Call) -> dict[str, Any]:
    return {name: value for name, value in call.params.items() if name not in _NO_MATTER}
