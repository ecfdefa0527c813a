"""The ways there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from prov_metal.ways.media import MediaWay
from prov_metal.ways.way import Way

WAYS: Mapping[str, Way] = {way.name: way for way in (MediaWay(),)}
