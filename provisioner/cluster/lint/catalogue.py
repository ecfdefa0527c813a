"""Every rule, and what all of them find.

A rule is a small function whose docstring is its reason; `docs/reference/lint.md` is made from this table.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator

from attrs import frozen

from provisioner.cluster.lint import images, network, nodes, patches
from provisioner.cluster.lint.subject import Complaint, Subject
from provisioner.cluster.stages import Staged
from provisioner.errors import Problem

OfCluster = Callable[[Subject], Iterator[Complaint]]
OfNode = Callable[[Staged, Subject], Iterator[Complaint]]


@frozen
class Rule:
    """One rule: the code by which it is known, what it complains of, and the function that looks.

    `refused` says that Talos refuses what the rule finds, so that it is an error and no warning.
    """

    code: str
    summary: str
    of_cluster: OfCluster | None = None
    of_node: OfNode | None = None
    refused: bool = False

    @property
    def reason(self) -> str:
        """Why it is worth complaining of, as paragraphs."""
        return inspect.getdoc(self.of_cluster or self.of_node) or ""

    def complaints(self, subject: Subject) -> Iterable[Complaint]:
        """What it finds; what is the same on several nodes is found once, with their names."""
        if self.of_cluster is not None:
            return tuple(dict.fromkeys(self.of_cluster(subject)))
        assert self.of_node is not None
        found: dict[Complaint, list[str]] = {}
        for node in subject.nodes:
            for complaint in dict.fromkeys(self.of_node(node, subject)):
                found.setdefault(complaint, []).append(node.node.name)
        return tuple(
            Complaint(f"{complaint.detail} ({_some(names)})", complaint.place, complaint.remedy)
            for complaint, names in found.items()
        )


RULES = (
    Rule("even-control-planes", "an even number of control planes bears no more losses", nodes.even_control_planes),
    Rule("nowhere-to-run", "no node takes pods", nodes.nowhere_to_run),
    Rule("patch-for-nobody", "a patch is for nodes that do not exist", nodes.patch_for_nobody),
    Rule("patch-without-effect", "a patch changes nothing", patches.patch_without_effect),
    Rule("listed-twice", "a list has an element twice", of_node=patches.listed_twice),
    Rule("old-and-new-form", "a setting stands in its old and in its new form", of_node=patches.old_and_new_form),
    Rule("deprecated-key", "a key has a successor", patches.deprecated_key),
    Rule("unknown-kind", "Talos does not know a document", of_node=patches.unknown_kind),
    Rule("newer-kind", "a document is newer than the nodes", of_node=patches.newer_kind, refused=True),
    Rule(
        "control-plane-document",
        "a worker has a document for control planes",
        of_node=patches.control_plane_document,
        refused=True,
    ),
    Rule("secret-in-the-clear", "a secret is written out in a file", patches.secret_in_the_clear),
    Rule("floating-tag", "an image is not pinned to a release", of_node=images.floating_tag),
    Rule(
        "unknown-install-disk", "the disk to install to is none the machine has", of_node=images.unknown_install_disk
    ),
    Rule(
        "vip-outside-subnet", "a virtual address is outside its link's networks", of_node=network.vip_outside_subnet
    ),
    Rule("address-twice", "two nodes have the same address", network.address_twice),
    Rule("networks-overlap", "networks of the cluster overlap", of_node=network.networks_overlap),
)


@frozen
class Lint:
    """What was found: errors are what Talos refuses, in file order both."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def lint(subject: Subject, ignored: Collection[str] = ()) -> Lint:
    """Everything that the rules find, but for those ignored."""
    found = [
        (rule.refused, Problem(rule.code, rule.summary, complaint.detail, complaint.place, complaint.remedy))
        for rule in RULES
        if rule.code not in ignored
        for complaint in rule.complaints(subject)
    ]
    errors, warnings = ([problem for refused, problem in found if refused is side] for side in (True, False))
    return Lint(_ordered(errors), _ordered(warnings))


def _ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda item: (item.place.file, item.place.line, item.place.column, item.code)))


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:4])} and {len(names) - 4} more"
