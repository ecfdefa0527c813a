"""Every way in which a call can fail has a meaning."""

from __future__ import annotations

import ssl

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from provisioner.sdk import Fatal, OperatorNeeded, ProviderError, Retry
from provisioner.talos.api import errors
from provisioner.talos.api.replies import from_status, from_transport


@pytest.mark.parametrize(
    ("status", "expected", "family"),
    [
        (Status.UNAVAILABLE, errors.NoAnswer, Retry),
        (Status.DEADLINE_EXCEEDED, errors.NoAnswer, Retry),
        (Status.FAILED_PRECONDITION, errors.NotYet, Retry),
        (Status.UNKNOWN, errors.Trouble, Retry),
        (Status.INTERNAL, errors.Trouble, Retry),
        (Status.PERMISSION_DENIED, errors.Denied, OperatorNeeded),
        (Status.UNAUTHENTICATED, errors.Denied, OperatorNeeded),
        (Status.ALREADY_EXISTS, errors.Exists, Fatal),
        (Status.NOT_FOUND, errors.Missing, Fatal),
        (Status.INVALID_ARGUMENT, errors.Rejected, Fatal),
        (Status.UNIMPLEMENTED, errors.Unsupported, Fatal),
    ],
)
def test_a_status_of_the_machine(status: Status, expected: type[ProviderError], family: type[ProviderError]):
    err = from_status("10.0.0.2", GRPCError(status, "because"))
    assert type(err) is expected
    assert isinstance(err, family)
    assert err.detail == "10.0.0.2: because"


def test_a_status_without_a_message_is_named():
    assert from_status("h", GRPCError(Status.INTERNAL)).detail == "h: internal"


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "connection refused"),
        (TimeoutError(), "no answer in time"),
        (StreamTerminatedError("Connection lost"), "Connection lost"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_a_connection_that_breaks_says_nothing_of_the_outcome(cause: Exception, reason: str):
    err = from_transport("h", cause)
    assert isinstance(err, errors.NoAnswer)
    assert err.reason == reason


def test_a_certificate_that_does_not_verify_is_no_silence():
    cause = ssl.SSLCertVerificationError()
    cause.verify_message = "certificate has expired"
    err = from_transport("h", cause)
    assert isinstance(err, errors.Distrusted)
    assert err.reason == "certificate has expired"
