"""What `${…}` may name: the scope of an expression.

A name leads to a value that is known at once (`var`, `env`, `file`, `sealed`, `cluster.name`) or to a reference. The
file speaks of nodes and of the endpoint before any provider has designed them, so those references have addresses of
their own kinds, `cluster.node/NAME` and `cluster.endpoint/kubernetes`; composing the cluster replaces them by the
outputs of the machines and of the balancer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, Protocol

from attrs import field, frozen

from provisioner.errors import did_you_mean
from provisioner.model.address import Address
from provisioner.model.value import Ref, Secret, Value, dig

NODE_KIND: Final = "cluster.node"
NODE_OUTPUTS: Mapping[str, str] = {"ip": "host", "host": "host", "id": "id"}
"""What the file may ask of a node, and the output of `cluster.node/NAME` it means."""

ENDPOINT: Final = Ref(Address("cluster.endpoint", "kubernetes"), "url")
"""The Kubernetes API's URL, such as `https://10.0.0.5:6443`."""

ROOTS = ("var", "env", "file", "sealed", "resources", "nodes", "cluster", "each")


class ReferenceFault(Exception):
    """An expression cannot be used. `reported` says that the reason is among the problems already."""

    def __init__(
        self, code: str, summary: str, *, detail: str = "", remedy: str = "", reported: bool = False
    ) -> None:
        super().__init__(summary)
        self.code = code
        self.summary = summary
        self.detail = detail
        self.remedy = remedy
        self.reported = reported


class Vault(Protocol):
    """What `file` and `sealed` lead to. Both raise ReferenceFault, and no secret is in it."""

    def file(self, name: str) -> str:
        """The text of a file that is named relative to the cluster file."""
        ...

    def sealed(self, text: str) -> str:
        """What was sealed, opened."""
        ...


class _Nothing:
    def file(self, name: str) -> str:
        raise _no_vault("file")

    def sealed(self, text: str) -> str:
        raise _no_vault("sealed")


NOTHING: Final[Vault] = _Nothing()


def _no_vault(root: str) -> ReferenceFault:
    return ReferenceFault(
        f"expression-{root}",
        "a secret cannot be had here",
        detail=f"{root} is used where no files are read",
        remedy="use a variable (var.NAME) or the environment (env.NAME)",
    )


@frozen
class Scope:
    """The names that an expression can see.

    `broken` are declared variables whose value could not be had, and `broken_pools` those whose nodes are not sure;
    both were reported where it happened. `resources` is None where only variables and the environment may be used,
    that is in everything that decides which nodes and resources exist. `has_cluster` is false in a file that has
    resources and outputs only. `each` is the key and the value of the entry that a block with `for_each` is read
    for. `vault` has what is kept in files and what is sealed. `near` gives a remedy for a mistaken name.
    """

    variables: Mapping[str, Value] = field(factory=dict)
    broken: frozenset[str] = frozenset()
    environ: Mapping[str, str] = field(factory=dict, repr=False)
    declared_env: frozenset[str] = frozenset()
    cluster: str = ""
    resources: Mapping[str, Address | None] | None = None
    nodes: Collection[str] = ()
    broken_pools: frozenset[str] = frozenset()
    has_cluster: bool = True
    each: tuple[str, Value] | None = None
    vault: Vault = NOTHING
    near: Callable[[str, Collection[str]], str] = field(default=did_you_mean, eq=False, repr=False)

    def find(self, root: str, name: str, rest: str) -> Value:
        """The value of `root.name.rest`; raises ReferenceFault when there is none."""
        match root:
            case "var":
                return self._variable(name, rest)
            case "env":
                return self._environment(name, rest)
            case "file" | "sealed":
                return self._kept(root, name, rest)
            case "each":
                return self._each(name, rest)
            case "cluster" if name == "name" and not rest:
                return self.cluster
            case _ if self.resources is None:
                raise ReferenceFault(
                    "expression-too-late",
                    "this must be known before anything is made",
                    detail=f"{root}.{name} is known after apply, but this value decides what the cluster consists of",
                    remedy="use variables (var.NAME) and the environment (env.NAME) only",
                )
            case "resources":
                return self._resource(self.resources, name, rest)
            case "nodes":
                return self._node(name, rest)
            case _:
                return self._cluster(name, rest)

    def _variable(self, name: str, rest: str) -> Value:
        if name in self.broken:
            raise ReferenceFault("expression-variable", "the variable has no value", reported=True)
        if name not in self.variables:
            raise ReferenceFault(
                "expression-variable",
                "there is no such variable",
                detail=f"var.{name} is used, but {name!r} is not declared",
                remedy=did_you_mean(name, {*self.variables, *self.broken})
                or f"declare it: variables: {{{name}: {{type: string}}}}",
            )
        if rest:
            raise ReferenceFault(
                "expression-variable",
                "a variable has no parts",
                detail=f"var.{name}.{rest} is used, but var.{name} is a single value",
                remedy=f"write ${{var.{name}}}",
            )
        return self.variables[name]

    def _environment(self, name: str, rest: str) -> Value:
        if rest or name not in self.environ:
            raise ReferenceFault(
                "expression-environment",
                "the environment variable is not set",
                detail=f"env.{name}{'.' + rest if rest else ''} is used, but the environment has no such name",
                remedy=f"set it before prov is started: export {name}=…",
            )
        value = self.environ[name]
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise ReferenceFault(
                "expression-environment",
                "the environment variable is not UTF-8 text",
                detail=f"env.{name} has bytes that are no text",
                remedy="encode it, for example with base64",
            )
        return value if name in self.declared_env else Secret(value)

    def _kept(self, root: str, name: str, rest: str) -> Value:
        """A secret that the file does not hold itself, always secret."""
        if rest:
            raise ReferenceFault(
                f"expression-{root}",
                "a secret that is kept elsewhere has no parts",
                detail=f"{root}.{name}.{rest} is used",
                remedy='write ${file["NAME.EXT"]} where a name has a dot in it',
            )
        return Secret(self.vault.file(name) if root == "file" else self.vault.sealed(name))

    def _each(self, name: str, rest: str) -> Value:
        if self.each is None:
            raise ReferenceFault(
                "expression-each",
                "there is no entry to speak of here",
                detail=f"each.{name} is used outside of a block with `for_each`",
                remedy="add `for_each:` to the block, with a mapping",
            )
        key, value = self.each
        if name == "key" and not rest:
            return key
        try:
            if name == "value":
                return dig(value, rest) if rest else value
        except KeyError:
            pass
        raise ReferenceFault(
            "expression-each",
            "the entry has no such part",
            detail=f"each.{name}{'.' + rest if rest else ''} is used for {key!r}",
            remedy="there are each.key, each.value, and the parts of its value by name",
        )

    def _resource(self, resources: Mapping[str, Address | None], name: str, rest: str) -> Value:
        if name not in resources:
            raise ReferenceFault(
                "expression-resource",
                "there is no such resource in the file",
                detail=f"resources.{name} is used, but `resources:` has no {name!r}",
                remedy=self.near(name, resources) or "add it under `resources:`",
            )
        address = resources[name]
        if address is None:
            raise ReferenceFault("expression-resource", "the resource has a problem of its own", reported=True)
        if not rest:
            raise ReferenceFault(
                "expression-resource",
                "an output of the resource must be named",
                detail=f"resources.{name} is a whole resource",
                remedy=f"write ${{resources.{name}.id}}, or another of its outputs",
            )
        return Ref(address, rest)

    def _node(self, name: str, rest: str) -> Value:
        if name not in self.nodes and name.rpartition("-")[0] in self.broken_pools:
            raise ReferenceFault("expression-node", "the pool has a problem of its own", reported=True)
        if name not in self.nodes:
            raise ReferenceFault(
                "expression-node",
                "there is no such node",
                detail=f"nodes.{name} is used, but the pools have no node of that name",
                remedy=self.near(name, self.nodes) or "add it to a pool",
            )
        if rest not in NODE_OUTPUTS:
            raise ReferenceFault(
                "expression-node",
                "a node has no such output",
                detail=f"{rest!r} of the node {name} is used" if rest else f"nodes.{name} is a whole node",
                remedy=did_you_mean(rest, NODE_OUTPUTS),
            )
        return Ref(Address(NODE_KIND, name), NODE_OUTPUTS[rest])

    def _cluster(self, name: str, rest: str) -> Value:
        if name == "endpoint" and not self.has_cluster:
            raise ReferenceFault(
                "expression-cluster",
                "the file describes no cluster",
                detail="cluster.endpoint is used, but there are no pools",
                remedy="add `talos:` and `pools:`, or take the expression out",
            )
        if name != "endpoint" or rest:
            raise ReferenceFault(
                "expression-cluster",
                "the cluster has no such property",
                detail=f"cluster.{name}{'.' + rest if rest else ''} is used",
                remedy=did_you_mean(name, ("name", "endpoint")) or "there are cluster.name and cluster.endpoint",
            )
        return ENDPOINT
