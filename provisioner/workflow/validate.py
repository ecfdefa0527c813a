"""Checking a cluster file without touching anything."""

from __future__ import annotations

from collections.abc import Collection

from attrs import frozen

from provisioner.cluster.compose import machines_of
from provisioner.cluster.lint.catalogue import RULES, Lint, lint
from provisioner.cluster.lint.subject import Subject
from provisioner.cluster.stages import staged
from provisioner.cluster.topology import topology_of
from provisioner.errors import InputError, Place, Problem, did_you_mean
from provisioner.graph.resources import ResourceGraph
from provisioner.model.state import State
from provisioner.workflow.open import Project


@frozen
class Validated:
    """A file that can be planned, and what looks wrong with it all the same."""

    graph: ResourceGraph
    lint: Lint


def validate(project: Project, ignored: Collection[str] = ()) -> Validated:
    """The file as it would be born, and what the rules find, but for those ignored by their code.

    Raises InputError where it cannot be planned, and for a code that no rule has.
    """
    _check_codes(ignored)
    graph = project.graph(State(project.spec.name, lineage="", serial=0))
    topology, _ = topology_of(project.spec, {})
    if topology is None:
        return Validated(graph, Lint((), ()))
    nodes = staged(project.spec, {}, project.registry)
    machines = machines_of(project.spec, topology, project.registry)
    return Validated(graph, lint(Subject(project.spec, topology, nodes, machines), ignored))


def _check_codes(ignored: Collection[str]) -> None:
    known = [rule.code for rule in RULES]
    wrong = [code for code in ignored if code not in known]
    if wrong:
        raise InputError(
            [
                Problem("option", "there is no such rule", f"--ignore {x}", Place(), did_you_mean(x, known))
                for x in wrong
            ]
        )
