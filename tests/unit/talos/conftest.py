"""What several tests of Talos share."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from provisioner.talos.pki.bundle import Bundle, generate
from provisioner.talos.versions import Contract


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """A real secrets bundle, made once per session: its RSA key takes a second."""
    now = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
    return generate(Contract(1, 13), now=now, random=random.Random(1).randbytes)
