"""Turns what gRPC tells about a failed call into our errors."""

from __future__ import annotations

import ssl

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from provisioner.sdk import ProviderError
from provisioner.talos.api.errors import (
    Denied,
    Distrusted,
    Exists,
    Missing,
    NoAnswer,
    NotYet,
    Rejected,
    Trouble,
    Unsupported,
)

_BY_STATUS: dict[Status, type[NoAnswer | NotYet | Denied | Exists | Missing | Rejected | Unsupported]] = {
    Status.UNAVAILABLE: NoAnswer,
    Status.DEADLINE_EXCEEDED: NoAnswer,
    Status.CANCELLED: NoAnswer,
    Status.FAILED_PRECONDITION: NotYet,
    Status.ABORTED: NotYet,
    Status.PERMISSION_DENIED: Denied,
    Status.UNAUTHENTICATED: Denied,
    Status.ALREADY_EXISTS: Exists,
    Status.NOT_FOUND: Missing,
    Status.INVALID_ARGUMENT: Rejected,
    Status.UNIMPLEMENTED: Unsupported,
}


def from_status(host: str, err: GRPCError) -> ProviderError:
    """Our error for a status that the machine answered with."""
    return _BY_STATUS.get(err.status, Trouble)(host, err.message or err.status.name.lower())


def from_transport(host: str, err: Exception) -> ProviderError:
    """Our error for a connection that could not be made or broke."""
    if isinstance(err, ssl.SSLCertVerificationError):
        return Distrusted(host, err.verify_message)
    if isinstance(err, TimeoutError):
        return NoAnswer(host, "no answer in time")
    if isinstance(err, ConnectionRefusedError):
        return NoAnswer(host, "connection refused")
    return NoAnswer(host, getattr(err, "strerror", None) or str(err) or type(err).__name__)
