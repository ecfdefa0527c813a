"""The documents keep step with the code, and their links lead somewhere."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_SKIPPED = frozenset({".venv", ".git", ".hypothesis", ".pytest_cache", "node_modules", "build", "dist"})
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.rglob("*.md")
    if _SKIPPED.isdisjoint(path.relative_to(ROOT).parts)
)

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def test_the_pages_made_from_the_code_are_in_step() -> None:
    """`make docs` would change nothing."""
    pages = _script("docs").pages()

    assert {path.name: path.read_text() for path in pages} == {path.name: text for path, text in pages.items()}


@pytest.mark.parametrize("name", PAGES)
def test_relative_links_lead_somewhere(name: str) -> None:
    """Files exist, and so do the headings behind `#`."""
    page = ROOT / name

    assert [link for link in _links(page) if not _leads(page, link)] == []


def test_every_page_is_found_from_the_index() -> None:
    """Following links from README and the index reaches each page below `docs/` but the notes on changes."""
    reached: set[Path] = set()
    waiting = [ROOT / "README.md", DOCS / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += [page.parent / link.partition("#")[0] for link in _links(page) if not link.startswith("#")]

    pages = {path.resolve() for path in DOCS.rglob("*.md")} - {path.resolve() for path in DOCS.glob("changes/*.md")}
    assert sorted(pages - reached) == []


def test_every_key_of_the_cluster_file_is_in_the_reference() -> None:
    """What the decoder asks for is described."""
    asked = {key for path in (ROOT / "provisioner" / "spec").glob("*.py") for key in _keys_asked_for(path)}
    described = _words_in_code(DOCS / "reference" / "cluster-file.md")

    assert len(asked) > 20
    assert sorted(asked - described) == []


def test_every_key_of_the_json_plan_is_in_the_reference() -> None:
    """What the view puts into a plan is described."""
    tree = ast.parse((ROOT / "provisioner" / "render" / "view.py").read_text())
    keys = {
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    described = _words_in_code(DOCS / "reference" / "plan-json.md")

    assert len(keys) > 30
    assert sorted(keys - described) == []


def test_every_event_is_in_the_reference() -> None:
    """Progress as JSON names its events by their classes."""
    tree = ast.parse((ROOT / "provisioner" / "model" / "event.py").read_text())
    events = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}

    assert sorted(events - _words_in_code(DOCS / "reference" / "plan-json.md")) == []


def test_every_decision_is_dated_and_numbered_as_its_file() -> None:
    """A decision says when it was made, what its state is, and what was rejected."""
    decisions = sorted(DOCS.glob("adr/[0-9]*.md"))

    wrong = [
        path.name
        for path in decisions
        if not re.match(rf"# {int(path.name[:4])}\. .+\n\nDate: \d{{4}}-\d\d-\d\d\. Status: \w+", path.read_text())
        or "\n## Rejected\n" not in path.read_text()
    ]

    assert decisions
    assert wrong == []


def _links(page: Path) -> list[str]:
    text = _CODE.sub("", _FENCE.sub("", page.read_text()))
    return [link for link in _LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]


def _leads(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    """The headings of a page as link targets, by the rule code hosts use."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _words_in_code(page: Path) -> set[str]:
    """All words that stand in code spans of a page, dotted ones also in parts."""
    spans = " ".join(_CODE.findall(_FENCE.sub("", page.read_text())))
    return set(re.findall(r"\$?[A-Za-z_]\w*", spans))


def _keys_asked_for(path: Path) -> Iterator[str]:
    """The literal keys with which a module of the decoder asks for values."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="scalar" | "take" | "table" | "texts"),
                args=[ast.Constant(value=str(key)), *_],
            ):
                yield key


def _script(name: str):  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
