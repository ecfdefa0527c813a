"""Secrets, before Talos's own library: written so that it reads them, and read as it reads them (needs Go)."""

from __future__ import annotations

import json
import secrets as chance
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import yaml

from provisioner.model.functions import CORE
from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.model.value import Unknown, dig, evaluate, reveal
from provisioner.talos.config.assemble import documents
from provisioner.talos.config.encode import encode
from provisioner.talos.pki.bundle import Bundle, generate, to_json_tree, to_tree
from provisioner.talos.pki.file import Documents
from provisioner.talos.pki.reading import read_bundle
from provisioner.talos.provider import provider
from provisioner.talos.support import require
from provisioner.talos.versions import KNOWN, Contract

MINORS = [str(each) for each in KNOWN]
everywhere = pytest.mark.parametrize("minor", MINORS)
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return generate(Contract.parse("v1.14.1"), now=NOW, random=chance.token_bytes)


def read(text: str) -> Bundle:
    return read_bundle(Documents.of(text).trees, NOW)


def exported(bundle: Bundle) -> str:
    return encode([reveal(to_tree(bundle))])


def config(bundle: Bundle, minor: str) -> str:
    """The configuration of a control plane, with all that is in the bundle."""
    row = require(minor)
    node = Node(name="control-1", role="controlplane", pool="control", provider="lab")
    topology = Topology("demo", (node,), EndpointWish(), TalosWish(row.newest, minor, row.kubernetes))
    tree = to_tree(bundle)
    made = documents(node, topology, endpoint="10.0.0.5", install_disk=None, secrets=lambda path: dig(tree, path))
    return encode(reveal(evaluate(made, lambda ref: Unknown(str(ref)), {**CORE, **provider.functions})))


@everywhere
def test_what_is_exported_is_what_the_library_would_write(
    judge: Callable[..., dict], minor: str, bundle: Bundle
) -> None:
    """It loads our secrets.yaml, finds nothing missing, and writes the same content: as YAML and as JSON."""
    theirs = judge("bundle", contract=f"v{minor}", secrets=exported(bundle))

    assert yaml.safe_load(exported(bundle)) == yaml.safe_load(theirs["yaml"])
    assert reveal(to_json_tree(bundle)) == json.loads(theirs["json"])


@everywhere
def test_what_the_library_makes_is_imported(judge: Callable[..., dict], minor: str) -> None:
    """Its own bundle in both forms, and exported again it is the same."""
    theirs = judge("secrets", contract=f"v{minor}")["secrets"]
    as_json = judge("bundle", contract=f"v{minor}", secrets=theirs)["json"]

    assert yaml.safe_load(exported(read(theirs))) == yaml.safe_load(theirs)
    assert read(theirs) == read(as_json)


@everywhere
def test_a_configuration_of_the_library_gives_its_bundle(judge: Callable[..., dict], minor: str) -> None:
    """What it generates from its own secrets is read back to the same secrets."""
    theirs = judge("secrets", contract=f"v{minor}")["secrets"]
    wishes = {"cluster": "a", "endpoint": "https://10.0.0.5:6443", "kubernetes": require(minor).kubernetes[1:]}
    made = judge("generate", contract=f"v{minor}", secrets=theirs, **wishes)["controlplane"]

    assert read(theirs) == read(made)


@everywhere
def test_a_configuration_is_read_as_the_library_reads_it(
    judge: Callable[..., dict], minor: str, bundle: Bundle
) -> None:
    """Out of ours it recovers our bundle, and so do we."""
    text = config(bundle, minor)

    assert bundle == read(judge("recover", config=text)["secrets"])
    assert bundle == read(text)
