"""Where images are taken from: mirrors, credentials and trust, by registry."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.config.documents.registry_auth import AUTH, judge_auth, legacy_auth, registry_auth
from provisioner.talos.config.documents.registry_mirror import (
    MIRRORS,
    legacy_mirror,
    limit_mirror,
    registry_mirror,
)
from provisioner.talos.config.documents.registry_tls import TLS, judge_tls, legacy_tls, registry_tls
from provisioner.talos.settings.section import Complaint, Document, Section, Settings, Target, present, table, tables
from provisioner.talos.settings.shape import Key, Table
from provisioner.talos.versions import Contract

_REGISTRIES = Key(
    Table({"mirrors": MIRRORS, "auth": AUTH, "tls": TLS}), "where images are taken from, each by the registry's host"
)
_KINDS = {"mirrors": registry_mirror, "auth": registry_auth, "tls": registry_tls}


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    registries = table(settings, "registries")
    if target.contract.registry_documents:
        for group, make in _KINDS.items():
            for name, each in tables(registries, group):
                yield make(name, each)
        return
    mirrors: dict[str, Value] = {name: legacy_mirror(each) for name, each in tables(registries, "mirrors")}
    config: dict[str, dict[str, Value]] = {}
    for name, each in tables(registries, "tls"):
        config.setdefault(name, {})["tls"] = legacy_tls(each)
    for name, each in tables(registries, "auth"):
        config.setdefault(name, {})["auth"] = legacy_auth(each)
    if mirrors or config:
        yield {"machine": {"registries": present(mirrors=mirrors, config=config)}}


def _judge(settings: Settings) -> Iterator[Complaint]:
    registries = table(settings, "registries")
    for name, each in tables(registries, "auth"):
        yield from judge_auth(each, "registries", "auth", name)
    for name, each in tables(registries, "tls"):
        yield from judge_tls(each, "registries", "tls", name)


def _limits(settings: Settings, contract: Contract) -> Iterator[Complaint]:
    if not contract.registry_documents:
        for name, each in tables(table(settings, "registries"), "mirrors"):
            yield from limit_mirror(each, contract, "registries", "mirrors", name)


REGISTRIES = Section({"registries": _REGISTRIES}, _compile, _judge, _limits)
