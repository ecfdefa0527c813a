"""Where the values of a configuration come from, for a person who asks."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from provisioner.cluster.stages import Staged, staged
from provisioner.cluster.topology import topology_of
from provisioner.cluster.why import Answer, Setting, why
from provisioner.errors import ProvError, did_you_mean
from provisioner.model.state import State
from provisioner.model.value import Ref, Unknown, Value, dig, evaluate
from provisioner.workflow.open import Project, bindings_of


@frozen
class Told:
    """The answers, and the contract that generated values are for."""

    answers: tuple[Answer, ...]
    contract: str


def explain(project: Project, path: str, node: str | None) -> Told:
    """What is to be said of a path, for all nodes or one. Values that are on record are filled in.

    Nothing has to stand for it. Raises UnknownPath, InputError where the file is wrong, and ProvError where it has
    no such node or no cluster.
    """
    state = project.look()
    bound = bindings_of(state)
    topology, _ = topology_of(project.spec, bound)
    nodes = staged(project.spec, bound, project.registry)
    if topology is None:
        raise ProvError(
            "the file describes no cluster",
            detail="it has resources only, and only nodes have a configuration",
            remedy="ask in the folder of a cluster, or name its file with --file",
        )
    contract = topology.talos.contract
    answers = why(path, _chosen(nodes, node), contract)
    return Told(tuple(_filled(answer, state, project) for answer in answers), contract)


def _chosen(nodes: Sequence[Staged], name: str | None) -> tuple[Staged, ...]:
    chosen = tuple(node for node in nodes if name in (None, node.node.name))
    if not chosen:
        raise ProvError(
            "there is no such node",
            detail=f"the pools have no node {name!r}",
            remedy=did_you_mean(name or "", [node.node.name for node in nodes]),
        )
    return chosen


def _filled(answer: Answer, state: State, project: Project) -> Answer:
    """The answer with what is known by now in the place of references."""

    def fill(setting: Setting) -> Setting:
        return evolve(setting, value=evaluate(setting.value, lookup, project.registry.functions()))

    def lookup(ref: Ref) -> Value:
        entry = state.entries.get(ref.to)
        try:
            return Unknown(str(ref.to)) if entry is None else dig(entry.outputs, ref.output)
        except KeyError:
            return Unknown(str(ref.to))

    now = None if answer.now is None else fill(answer.now)
    return evolve(answer, now=now, before=tuple(map(fill, answer.before)))
