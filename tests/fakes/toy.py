"""The toy provider, which lives in the conformance kit."""

from __future__ import annotations

from provisioner.conformance.toy import *  # noqa: F403
