"""What must hold between the parts of a cluster file; one small function for each rule."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from provisioner.errors import Place
from provisioner.spec.findings import Findings
from provisioner.spec.schema import AUTO, ClusterSpec, KubernetesSpec, TalosSpec
from provisioner.talos.support import UnsupportedTalos, kubernetes_fits, require

_VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(alpha|beta|rc)\.\d+)?", re.ASCII)
_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_EXTENSION = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9-]{1,63})*")


def check(spec: ClusterSpec, places: dict[str, Place], findings: Findings, *, sure: bool) -> None:
    """Applies every rule. `places` has where the top-level values stand; `sure` whether all pools could be read."""
    if spec.talos is not None:
        _talos_version(spec.talos, findings)
        _kubernetes_version(spec.talos, spec.kubernetes, findings)
        _extensions(spec.talos, findings)
    _endpoint(spec, places, findings)
    if sure:
        _control_plane(spec, places, findings)


def check_name(name: str, place: Place, findings: Findings) -> None:
    """The cluster's name must do as a name for files, machines and contexts everywhere."""
    if not (_LABEL.fullmatch(name) and len(name) <= 63):
        findings.add(
            "name",
            "a name cannot be used",
            place,
            detail=f"the cluster {name!r} must have a-z, 0-9 and - only, begin with a letter, end with a letter "
            "or digit, and have 63 characters at most",
            remedy="rename it",
        )


def _talos_version(talos: TalosSpec, findings: Findings) -> None:
    version = talos.version
    if not version:
        return
    if not _VERSION.fullmatch(version):
        _refuse_version("talos.version", version, "v1.13.9", talos.place, findings)
        return
    try:
        require(version)
    except UnsupportedTalos as err:
        findings.add(
            "talos-version",
            "this Talos release is not supported",
            talos.place,
            detail=err.detail,
            remedy="set talos.version to a release of a supported minor",
        )


def _kubernetes_version(talos: TalosSpec, kubernetes: KubernetesSpec, findings: Findings) -> None:
    version = kubernetes.version
    if not version:
        return
    if not _VERSION.fullmatch(version):
        _refuse_version("kubernetes.version", version, "v1.36.3", kubernetes.place, findings)
        return
    try:
        row = require(talos.version)
    except UnsupportedTalos:
        return  # noted by the rule before
    if not kubernetes_fits(talos.version, version):
        findings.add(
            "kubernetes-version",
            "this Talos release does not run this Kubernetes",
            kubernetes.place,
            detail=f"Talos {talos.version} runs Kubernetes 1.{row.kubernetes_min} to 1.{row.kubernetes_max}; "
            f"kubernetes.version is {version}",
            remedy=f"set kubernetes.version to one of these, such as {row.kubernetes}",
        )


def _refuse_version(what: str, version: str, example: str, place: Place, findings: Findings) -> None:
    near = f"v{version}"
    findings.add(
        "version",
        "a version has the wrong form",
        place,
        detail=f"{what} is {version!r}; all three numbers are needed, with a v before them",
        remedy=f"write {near if _VERSION.fullmatch(near) else f'it as in {example}'}",
    )


def _extensions(talos: TalosSpec, findings: Findings) -> None:
    for name in talos.extensions:
        if not _EXTENSION.fullmatch(name):
            findings.add(
                "extension",
                "this is not the name of a system extension",
                talos.place,
                detail=f"talos.extensions has {name!r}",
                remedy="write OWNER/NAME without a version, as in siderolabs/iscsi-tools",
            )


def _endpoint(spec: ClusterSpec, places: dict[str, Place], findings: Findings) -> None:
    if spec.endpoint != AUTO and not _is_endpoint(spec.endpoint):
        findings.add(
            "endpoint",
            "the endpoint is no host and no URL",
            places["endpoint"],
            detail=f"endpoint is {spec.endpoint!r}",
            remedy="write auto, a host name, an IP address, or a URL such as https://k8s.example.org:6443",
        )


def _is_endpoint(text: str) -> bool:
    if "://" not in text:
        return _is_host(text)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    plain = not (url.username or url.password or url.query or url.fragment or url.path not in ("", "/"))
    return url.scheme == "https" and plain and port != 0 and _is_host(url.hostname or "")


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None and not text.replace(".", "").isdigit()
    return "%" not in text


def _control_plane(spec: ClusterSpec, places: dict[str, Place], findings: Findings) -> None:
    if not any(pool.role == "controlplane" and pool.nodes for pool in spec.pools):
        findings.add(
            "no-control-plane",
            "the cluster has no control plane",
            places["pools"],
            detail="no pool with `role: controlplane` has a node",
            remedy="add one: pools: {control: {role: controlplane, count: 3}}; three of them survive the loss of one",
        )
