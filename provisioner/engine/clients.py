"""Clients of provider instances, made when their settings are known and kept while these do not change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from provisioner.errors import OperatorNeeded
from provisioner.model.address import Address
from provisioner.model.plan import ProviderUse
from provisioner.model.schema import Schema
from provisioner.model.state import Records, State
from provisioner.model.value import (
    Function,
    Ref,
    Unknown,
    Value,
    dig,
    evaluate,
    has_sealed,
    is_known,
    refs,
    reveal,
    strip_origins,
)
from provisioner.plugins.registry import Registry

Lookup = Callable[[Ref], Value]


class Clients:
    """One client per provider instance and distinct settings."""

    def __init__(self, registry: Registry, providers: Mapping[str, ProviderUse]) -> None:
        self._registry = registry
        self._providers = providers
        self._kept: dict[str, tuple[str, Any]] = {}
        self._constant: dict[str, tuple[Any]] = {}
        self._guard = threading.Lock()
        self._functions: Mapping[str, Function] | None = None

    def client(self, instance: str, lookup: Lookup) -> Any:
        """The client of an instance, connected with what its settings are by now.

        Settings that are not known yet are left out; a provider for which they are indispensable says so in
        its settings class, and then this raises OperatorNeeded.
        """
        known = self._constant.get(instance)
        if known is not None:
            return known[0]
        use = self._providers.get(instance)
        if use is None:
            raise OperatorNeeded(
                "a provider of something on record is no longer in the file",
                detail=f"the provider instance {instance!r} is not under `providers:`",
                remedy="put it back until what it made is removed",
            )
        provider = self._registry.provider(use.type)
        settings = _known_part(evaluate(dict(use.settings), lookup, self.functions()))
        assert isinstance(settings, Mapping)
        if has_sealed(settings):
            raise OperatorNeeded(
                "there is no age identity to reach it with",
                remedy="set PROV_AGE_KEY or PROV_AGE_KEY_FILE to the identity the state is sealed for",
            )
        schema = Schema.of(provider.settings)
        for name, sentence in schema.complaints(settings):
            raise OperatorNeeded(
                "the settings of a provider are incomplete",
                detail=f"{instance}: {name} {sentence}",
                remedy=f"see the settings of {use.type} with `prov providers {use.type}`",
            )
        mark = repr(reveal(settings))
        with self._guard:
            kept = self._kept.get(instance)
            if kept is None or kept[0] != mark:
                kept = self._kept[instance] = (mark, provider.connect(schema.build(schema.normal(settings))))
            if not any(True for _ in refs(dict(use.settings))):
                self._constant[instance] = (kept[1],)
            return kept[1]

    def functions(self) -> Mapping[str, Function]:
        """What values may call: the core's functions, and those of every provider in use."""
        if self._functions is None:
            for use in self._providers.values():
                self._registry.provider(use.type)
            self._functions = self._registry.functions()
        return self._functions


def recorded_outputs(
    state: State | Records,
    found: Mapping[Address, Mapping[str, Value]] | None = None,
    *,
    gone: frozenset[Address] = frozenset(),
) -> Lookup:
    """Looks references up in what look-ups found and in what is on record, as if `gone` were not."""

    def lookup(ref: Ref) -> Value:
        entry = state.entries.get(ref.to)
        outputs = (found or {}).get(ref.to) or (entry.outputs if entry is not None else None)
        if not outputs or ref.to in gone:
            return Unknown(str(ref.to))
        try:
            return dig(outputs, ref.output)
        except KeyError:
            return Unknown(f"{ref.to} has no {ref.output}")

    return lookup


def _known_part(value: Value) -> Value:
    """The tree without what is unknown: such keys and items are left out."""
    match value:
        case Mapping():
            return {key: _known_part(item) for key, item in value.items() if not isinstance(item, Unknown)}
        case tuple():
            return tuple(_known_part(item) for item in value if is_known(item))
        case _:
            return strip_origins(value)
