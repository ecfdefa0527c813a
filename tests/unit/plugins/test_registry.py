"""Providers by type: found without being imported, loaded when asked for, refused when they do not fit."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from fakes.toy import Cloud, ToyProvider

from provisioner import PROTOCOL, __version__
from provisioner.errors import ProvError
from provisioner.plugins.describe import describe
from provisioner.plugins.registry import GROUP, Registry


def _point(folder: Path, code: str, name: str = "plug") -> EntryPoint:
    """An entry point into a module of its own that holds `code`."""
    module = f"plugged_{folder.name.replace('-', '_')}"
    (folder / f"{module}.py").write_text(code)
    return EntryPoint(name, f"{module}:provider", GROUP)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def _toy() -> Registry:
    return Registry({}, {"toy": ToyProvider(Cloud())})


def test_what_is_installed_is_listed_by_name_without_being_imported(folder: Path) -> None:
    point = _point(folder, "raise RuntimeError('nobody asked for this')")
    registry = Registry({"plug": point}, {"another": ToyProvider(Cloud())})
    assert [listed.name for listed in registry.list()] == ["another", "plug"]
    assert point.module not in sys.modules


def test_what_this_environment_has_is_found() -> None:
    listed = {item.name: item for item in Registry.installed().list()}
    assert listed["talos"].version == __version__
    assert listed["talos"].distribution == "prov-talos"


def test_a_provider_is_loaded_once(folder: Path) -> None:
    code = (
        "from fakes.toy import Cloud, ToyProvider\nclass P(ToyProvider):\n    name = 'plug'\nprovider = P(Cloud())\n"
    )
    registry = Registry({"plug": _point(folder, code)})
    assert registry.provider("plug") is registry.provider("plug")
    assert registry.provider("plug").name == "plug"


def test_a_type_nobody_installed_is_told_with_what_there_is(folder: Path) -> None:
    registry = Registry({"plug": _point(folder, "")})
    with pytest.raises(ProvError) as caught:
        registry.provider("plugg")
    assert "'plugg'" in caught.value.detail
    assert "plug" in caught.value.detail
    assert caught.value.remedy.startswith("did you mean 'plug'?")
    with pytest.raises(ProvError) as caught:
        registry.provider("aws")
    assert "pip install 'prov-talos[aws]'" in caught.value.remedy


@pytest.mark.parametrize(
    "code",
    ["import no_such_module_anywhere", "other = 1", "raise RuntimeError('on import')", "def broken(:"],
)
def test_a_provider_that_cannot_be_loaded_is_an_error_for_people(folder: Path, code: str) -> None:
    with pytest.raises(ProvError, match="cannot be loaded") as caught:
        Registry({"plug": _point(folder, code)}).provider("plug")
    assert "'plug'" in caught.value.detail
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("provider = 3", "'?'"),
        ("from fakes.toy import ToyProvider\nprovider = ToyProvider()", "'toy'"),
        (
            "from fakes.toy import ToyProvider\nclass P(ToyProvider): name, protocol = 'plug', 99\nprovider = P()",
            "protocol 99",
        ),
    ],
)
def test_a_provider_that_does_not_fit_is_refused(folder: Path, code: str, words: str) -> None:
    with pytest.raises(ProvError, match="does not fit") as caught:
        Registry({"plug": _point(folder, code)}).provider("plug")
    assert words in caught.value.detail
    assert f"protocol {PROTOCOL}" in caught.value.detail


def test_a_kind_is_found_by_its_full_name() -> None:
    assert _toy().kind("toy.thing") is ToyProvider.kinds["toy.thing"]


def test_a_kind_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(ProvError) as caught:
        _toy().kind("toy.thingy")
    assert "toy.disk, toy.gate, toy.image, toy.server, toy.thing, toy.upload, toy.vault" in caught.value.detail
    assert caught.value.remedy == "did you mean 'toy.thing'?"


def test_functions_are_those_of_the_core_and_of_what_is_loaded(folder: Path) -> None:
    assert {"concat", "cel"} == set(Registry({"plug": _point(folder, "raise RuntimeError")}).functions())
    assert {"concat", "cel", "toy.shout"} <= set(_toy().functions())


def test_a_provider_is_described_from_its_own_classes() -> None:
    described = describe(_toy(), "toy")
    assert described["summary"] == "Things in memory."
    assert described["settings"][0] == {"name": "place", "required": False, "marks": []}
    kinds = {kind["name"]: kind for kind in described["kinds"]}
    assert list(kinds) == sorted(ToyProvider.kinds)
    assert [name for name in kinds if kinds[name]["gate"]] == ["toy.gate"]
    thing = {item["name"]: item for item in kinds["toy.thing"]["props"]}
    assert thing["name"] == {"name": "name", "required": True, "marks": ["immutable"]}
    assert thing["seed"]["marks"] == ["birth", "secret"]
    assert kinds["toy.thing"]["outputs"] == ["id", "address", "revision", "password"]
