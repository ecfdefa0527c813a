"""The machine configuration as a machine reads it: a strict YAML stream."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from attrs import define, field

Tree = Mapping[str, Any]

CONTROL_PLANE_ROLE: Final = "node-role.kubernetes.io/control-plane"


class BadConfig(Exception):
    """A configuration Talos refuses, with everything that is wrong with it. No value is ever quoted."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("; ".join(complaints))
        self.complaints = complaints


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's idea of booleans, and no key twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        if isinstance(node, yaml.MappingNode):
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            for name in {name for name in names if names.count(name) > 1}:
                raise BadConfig([f"key {name!r} stands twice (line {node.start_mark.line + 1})"])
        return super().construct_mapping(node, deep)


# `off` and `no` are words in Talos's YAML, and dates are text.
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


@define(eq=False, repr=False, slots=False)
class MachineConfig:
    """A decoded stream: `root` is the v1alpha1 document, None in a partial configuration.

    What releases before 1.14 have in the v1alpha1 document may stand in a document of its own. The properties
    give it from wherever it stands.
    """

    text: str
    root: Tree | None
    documents: tuple[Tree, ...] = field(factory=tuple)

    @property
    def complete(self) -> bool:
        return self.root is not None

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def machine(self) -> Tree:
        return _mapping(self.root, "machine")

    @property
    def cluster(self) -> Tree:
        return _mapping(self.root, "cluster")

    @cached_property
    def domain_name(self) -> str:
        """A short name for who finds whom: a digest of cluster id, discovery secret and Talos CA."""
        parts = (*self.identity, self.get("machine", "ca", "crt"))
        return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()[:12]

    @cached_property
    def type(self) -> str:
        return str(self.machine.get("type", ""))

    @property
    def is_control_plane(self) -> bool:
        return self.type in ("controlplane", "init")

    @property
    def identity(self) -> tuple[Any, Any]:
        """The cluster's id and secret, by which its machines find each other."""
        found = self.document("DiscoveryIdentityConfig")
        return (
            found.get("clusterID") or self.get("cluster", "id"),
            found.get("clusterSecret") or self.get("cluster", "secret"),
        )

    @property
    def discovers(self) -> bool:
        """Whether machines of the cluster find each other through a service."""
        return bool(self.document("DiscoveryServiceConfig") or self.get("cluster", "discovery", "enabled"))

    @property
    def endpoint(self) -> Any:
        return self.document("KubeClusterConfig").get("endpoint") or self.get("cluster", "controlPlane", "endpoint")

    @cached_property
    def endpoint_host(self) -> str:
        return urlsplit(str(self.endpoint or "")).hostname or ""

    @property
    def kubernetes_ca(self) -> Tree:
        """The Kubernetes CA as the v1alpha1 document has it, in base64; a worker has no key."""
        document = self.document("KubeAPIServerCAConfig")
        accepted = document.get("acceptedCAs") or [""]
        pair = document.get("issuingCA") or {"cert": accepted[0]}
        found = {"crt": _base64(pair.get("cert")), "key": _base64(pair.get("key"))}
        return found if document else _mapping(self.cluster, "ca")

    @property
    def api_server_names(self) -> list[str]:
        """Further names that the certificate of the Kubernetes API is good for."""
        by_document = self.document("KubeAPIServerConfig").get("certExtraSANs")
        return by_document or self.get("cluster", "apiServer", "certSANs") or []

    def presented(self, what: str) -> Tree:
        """The `labels`, `annotations` or `taints` that the node is registered with."""
        document = self.document("KubeNodeConfig")
        if document:
            return _mapping(document, what)
        legacy = dict(_mapping(self.machine, f"node{what.capitalize()}"))
        free = self.cluster.get("allowSchedulingOnControlPlanes") or not self.is_control_plane
        return legacy if what != "taints" or free else {**legacy, CONTROL_PLANE_ROLE: "NoSchedule"}

    def installs_onto(self, disk: str) -> bool | None:
        """Whether Talos would go onto this disk, whose path is given; None where it is told nothing."""
        install = self.get("machine", "install")
        selector = _mapping(self.document("UnattendedInstallConfig"), "provisioning").get("diskSelector")
        if selector:
            return bool(re.search(rf'"{re.escape(disk)}"', str(selector.get("match"))))
        if not install:
            return None
        return bool(install.get("disk", disk) == disk)

    def document(self, kind: str) -> Tree:
        """The first document of a kind; empty where there is none."""
        return next((item for item in self.documents if item["kind"] == kind), {})

    @cached_property
    def hostname(self) -> str:
        """The configured host name; empty where the machine makes one up."""
        for document in self.documents:
            if document.get("kind") == "HostnameConfig" and document.get("hostname"):
                return str(document["hostname"])
        return str(_mapping(self.machine, "network").get("hostname") or "")

    @property
    def kubelet_version(self) -> str:
        return _tag(self.document("KubeletConfig").get("image") or self.get("machine", "kubelet", "image"))

    @property
    def kubernetes_version(self) -> str:
        image = self.document("KubeAPIServerConfig").get("image") or self.get("cluster", "apiServer", "image")
        return _tag(image) or self.kubelet_version

    def get(self, *path: str) -> Any:
        """What stands at a path of the v1alpha1 document; None where there is nothing."""
        value: Any = self.root
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def decode(data: bytes) -> MachineConfig:
    """Reads a stream; raises BadConfig where its shape is wrong."""
    try:
        text = data.decode("utf-8")
        raw = [item for item in yaml.load_all(text, Loader=_Loader) if item is not None]
    except UnicodeDecodeError:
        raise BadConfig(["the configuration is not UTF-8 text"]) from None
    except yaml.MarkedYAMLError as err:
        line = err.problem_mark.line + 1 if err.problem_mark else 0
        raise BadConfig([f"the configuration is not YAML: {err.problem} (line {line})"]) from None
    except yaml.YAMLError:
        raise BadConfig(["the configuration is not YAML"]) from None
    if not raw:
        raise BadConfig(["no configuration documents were found"])
    if not all(isinstance(item, dict) for item in raw):
        raise BadConfig(["a document of the configuration is not a mapping"])
    roots = [item for item in raw if "kind" not in item]
    if len(roots) > 1:
        raise BadConfig(["the v1alpha1 document stands twice"])
    typed = tuple(item for item in raw if "kind" in item)
    return MachineConfig(text, roots[0] if roots else None, typed)


def edited(config: MachineConfig, path: str, value: Any) -> MachineConfig:
    """The same configuration with `value` at a dotted path, as somebody else's hand might leave it.

    The path starts in the v1alpha1 document (`machine.sysctls.x`), or with the kind of a typed document
    (`HostnameConfig.hostname`). Mappings on the way are made where there are none. Raises KeyError.
    """
    documents = copy.deepcopy([*([config.root] if config.root is not None else []), *config.documents])
    first, *rest = path.split(".")
    target = next((item for item in documents if item.get("kind") == first), None)
    parts = rest if target is not None else [first, *rest]
    if target is None:
        target = next((item for item in documents if "kind" not in item), None)
    if target is None or not parts:
        raise KeyError(path)
    place: Any = target
    for part in parts[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise KeyError(path)
    place[parts[-1]] = value
    return decode(yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False).encode())


def _mapping(tree: Tree | None, name: str) -> Tree:
    value = tree.get(name) if tree is not None else None
    return value if isinstance(value, Mapping) else {}


def _base64(text: object) -> str:
    return base64.b64encode(str(text or "").encode()).decode()


def _tag(image: object) -> str:
    name, colon, tag = str(image or "").rpartition(":")
    return tag.partition("@")[0] if colon and "/" not in tag and name else ""
