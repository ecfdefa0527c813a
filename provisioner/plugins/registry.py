"""Providers by type, loaded lazily from the entry point group `prov.providers`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from attrs import frozen

from provisioner import PROTOCOL, __version__
from provisioner.errors import ProvError, did_you_mean
from provisioner.model.functions import CORE
from provisioner.model.value import Function
from provisioner.sdk.provider import AnyKind, Provider

GROUP = "prov.providers"


@frozen
class Listed:
    """An installed provider, as `prov providers` shows it."""

    name: str
    distribution: str
    version: str


class Registry:
    """All installed providers. Only those that are asked for are imported."""

    def __init__(self, points: Mapping[str, EntryPoint], loaded: Mapping[str, Provider] | None = None) -> None:
        self._points = dict(points)
        self._loaded = dict(loaded or {})

    @classmethod
    def installed(cls) -> Registry:
        """The providers of this Python environment."""
        return cls({point.name: point for point in entry_points(group=GROUP)})

    def provider(self, type_: str) -> Provider:
        """The provider of a type; raises ProvError when none is installed or it does not fit."""
        known = self._loaded.get(type_)
        return known if known is not None else self._load(type_)

    def kind(self, name: str) -> AnyKind:
        """A kind by its full name, such as `sim.machine`."""
        type_ = name.partition(".")[0]
        kinds = self.provider(type_).kinds
        if name not in kinds:
            raise ProvError(
                "there is no such kind of resource",
                detail=f"the provider {type_!r} has {', '.join(sorted(kinds))}, but no {name}",
                remedy=did_you_mean(name, kinds),
            )
        return kinds[name]

    def functions(self) -> Mapping[str, Function]:
        """What values may call: the core's functions and those of the loaded providers."""
        table = dict(CORE)
        for provider in self._loaded.values():
            table.update(provider.functions)
        return table

    def version(self, type_: str) -> str:
        """The version of the distribution a provider came from."""
        return self._listed(type_).version

    def list(self) -> tuple[Listed, ...]:
        """What is installed, by name, without importing any of it."""
        return tuple(self._listed(name) for name in sorted({*self._points, *self._loaded}))

    def _listed(self, type_: str) -> Listed:
        point = self._points.get(type_)
        if point is None or point.dist is None:
            return Listed(type_, "built in", __version__)
        return Listed(type_, point.dist.name, point.dist.version)

    def _load(self, type_: str) -> Provider:
        point = self._points.get(type_)
        if point is None:
            raise ProvError(
                "no provider of this type is installed",
                detail=f"{type_!r} is wanted; installed are {', '.join(sorted(self._points))}",
                remedy=f"{did_you_mean(type_, self._points)}; or install it: pip install 'prov-talos[{type_}]'",
            )
        try:
            provider = point.load()
        except Exception as err:  # code of strangers: whatever goes wrong in it, the rest of prov is sound
            raise ProvError(
                "a provider cannot be loaded",
                detail=f"{type_!r} from {point.value}: {type(err).__name__}: {err}",
                remedy="install the distribution anew",
            ) from err
        if not isinstance(provider, Provider) or provider.name != type_ or provider.protocol != PROTOCOL:
            raise ProvError(
                "a provider does not fit this prov",
                detail=f"{point.value} calls itself {getattr(provider, 'name', '?')!r} and speaks protocol "
                f"{getattr(provider, 'protocol', '?')}; wanted are {type_!r} and protocol {PROTOCOL}",
                remedy="install the version of the provider that goes with this prov",
            )
        self._loaded[type_] = provider
        return provider
