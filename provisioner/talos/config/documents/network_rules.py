"""The firewall of a machine."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.config.documents.network_default_action import DEFAULT, network_default_action
from provisioner.talos.config.documents.network_rule import RULES, judge_rule, network_rule
from provisioner.talos.settings.section import Complaint, Document, Section, Settings, Target, table, tables
from provisioner.talos.settings.shape import Key, Table

_NETWORK_RULES = Key(Table({"default": DEFAULT, "rules": RULES}), "who may reach the machine")


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    wanted = table(settings, "network_rules")
    if "default" in wanted:
        yield network_default_action(wanted["default"])
    for name, rule in tables(wanted, "rules"):
        yield network_rule(name, rule)


def _judge(settings: Settings) -> Iterator[Complaint]:
    for name, rule in tables(table(settings, "network_rules"), "rules"):
        yield from judge_rule(rule, "network_rules", "rules", name)


NETWORK_RULES = Section({"network_rules": _NETWORK_RULES}, _compile, _judge)
