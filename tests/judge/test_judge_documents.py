"""What settings of machines become, before Talos's own configuration library of each minor release.

The configurations that the library itself generates are patched with them, and must be accepted whole.
"""

from __future__ import annotations

import secrets as chance
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from fakes.machine_cases import MINORS, NAMES, settings_of

from provisioner.model.value import Value, reveal
from provisioner.talos.config.encode import decode, encode
from provisioner.talos.config.patch import merge
from provisioner.talos.config.settings import for_role, limits, patches
from provisioner.talos.pki.bundle import generate, to_tree
from provisioner.talos.settings.section import Target
from provisioner.talos.support import support_for
from provisioner.talos.versions import Contract

_KUBERNETES = {"1.11": "1.34.1", "1.12": "1.35.0", "1.13": "1.36.0", "1.14": "1.36.0"}
Judge = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def bundle() -> str:
    """A secrets bundle, as text."""
    made = generate(Contract(1, 13), now=datetime.now(UTC), random=chance.token_bytes)
    return yaml.safe_dump(reveal(to_tree(made)))


def _expressible() -> Iterator[Any]:
    """Every case with every release that can be told what it says."""
    for name in NAMES:
        for minor in MINORS:
            if not any(limits(settings_of(name), Contract.parse(minor))):
                yield pytest.param(name, minor, id=f"{name}-{minor}")


@pytest.mark.parametrize(("name", "minor"), list(_expressible()))
def test_settings_are_accepted(judge: Judge, minor: str, bundle: str, name: str) -> None:
    """On both roles, installed on metal and booting in place in a cloud, without a warning."""
    settings = settings_of(name)
    contract = Contract.parse(minor)
    generated = _generated(judge, minor, bundle)
    for role, text in generated.items():
        leads = role == "controlplane"
        for mode, installs in (("metal", True), ("cloud", False)):
            config = _patched(text, for_role(settings, leads=leads), Target(contract, leads, installs))
            verdict = judge("validate", config=config, mode=mode)
            assert verdict == {"error": "", "warnings": []}, f"{role} in {mode} mode\n{config}"


def _generated(judge: Judge, minor: str, bundle: str) -> Mapping[str, str]:
    """The library's own configuration of both roles."""
    row = support_for(minor)
    made = judge(
        "generate",
        contract=f"v{minor}",
        secrets=bundle,
        cluster="demo",
        endpoint="https://10.0.0.5:6443",
        kubernetes=row.kubernetes.removeprefix("v") if row else _KUBERNETES[minor],
        disk="/dev/sda",
        image="factory.talos.dev/metal-installer/1:v1",
    )
    return {role: made[role] for role in ("controlplane", "worker")}


def _patched(text: str, settings: Mapping[str, Value], target: Target) -> str:
    documents: tuple[Any, ...] = decode(text)
    for patch in patches(settings, target):
        documents = merge(documents, patch)
    return encode([reveal(each) for each in documents])
