"""Checking a cluster file without touching anything."""

from __future__ import annotations

from collections.abc import Collection

from attrs import frozen

from provisioner.cluster.compose import compose, compose_with_stages
from provisioner.cluster.lint.catalogue import RULES, Lint, lint
from provisioner.cluster.lint.subject import Subject
from provisioner.cluster.stages import staged_nodes
from provisioner.cluster.topology import topology_of
from provisioner.errors import InputError, Place, Problem, did_you_mean
from provisioner.graph.resources import ResourceGraph
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
    spec, registry = project.spec, project.registry
    topology, bindings = topology_of(spec, {})
    if topology is None:
        return Validated(compose(spec, None, bindings, registry), Lint((), ()))
    composed = compose_with_stages(spec, topology, bindings, registry)
    nodes = staged_nodes(spec, topology, composed)
    return Validated(composed.graph, lint(Subject(spec, topology, nodes, composed.machines), ignored))


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
