"""A Redfish service made of documents: what is changed is kept, discs go in and out, and nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from attrs import define, field
from beds.bmc.exchange import Answer, Asked, Pass, refusal

ROOT = "/redfish/v1"


def mockup(folder: Path) -> dict[str, Any]:
    """The documents of a mockup as DMTF lays them out: a folder for each resource, an `index.json` in it."""
    return {
        "/".join((ROOT, *path.parent.relative_to(folder).parts)).rstrip("/"): json.loads(path.read_text())
        for path in folder.rglob("index.json")
    }


def samples(*texts: str) -> dict[str, Any]:
    """Documents that say themselves where they are; of two for one place the later."""
    documents = [json.loads(text) for text in texts]
    return {document["@odata.id"].rstrip("/"): document for document in documents}


@define
class Static:
    """A habit that leaves nothing for the emulator."""

    tree: dict[str, Any]
    changed: list[str] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self.tree = deepcopy(self.tree)

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        path = asked.path.rstrip("/")
        if asked.method == "POST":
            return self._act(path, asked.body or {})
        if path not in self.tree:
            return refusal(404, "there is no such resource")
        document = self.tree[path]
        if asked.method == "PATCH":
            self.changed.append(path)
            _merge(document, asked.body)
            return Answer(204)
        tag = document.get("@odata.etag") if isinstance(document, Mapping) else None
        return Answer(200, document, {"ETag": str(tag)} if tag else {})

    def _act(self, path: str, body: Mapping[str, Any]) -> Answer:
        holder, _, action = path.partition("/Actions/")
        if holder not in self.tree or not action:
            return refusal(404, "there is no such action")
        document = self.tree[holder]
        if action.endswith("InsertMedia"):
            document.update(Image=body["Image"], Inserted=True, ConnectedVia="URI")
        elif action.endswith("EjectMedia"):
            document.update(Image=None, Inserted=False, ConnectedVia="NotConnected")
        elif action.endswith("Reset"):
            document["PowerState"] = "On" if body["ResetType"] == "On" else "Off"
        self.changed.append(path)
        return Answer(204)


def _merge(document: dict[str, Any], change: Mapping[str, Any]) -> None:
    for name, value in change.items():
        if isinstance(value, Mapping) and isinstance(document.get(name), dict):
            _merge(document[name], value)
        else:
            document[name] = value
