"""What can go wrong while asking a machine, each case a class of its own.

    Retry            ├── NoAnswer     refused, timed out, cut off: the outcome of a change is unknown, read again
                     ├── NotYet       the machine is not far enough, or busy
                     └── Trouble      it failed for a reason of its own
    OperatorNeeded   ├── Distrusted   its certificate is not good for our cluster
                     └── Denied       it does not let us
    Fatal            ├── Exists       what was asked for has happened before
                     ├── Missing      there is no such thing
                     ├── Rejected     the input is wrong
                     └── Unsupported  it does not know the request

Each is a member of the house's error family, so a kind catches those it can deal with and lets the others go.
`api.replies` makes them from what gRPC tells; the meanings of its status codes are those of the Talos API.
"""

from __future__ import annotations

from provisioner.sdk import Fatal, OperatorNeeded, Retry


class NoAnswer(Retry):
    """Nothing came back. A request that changes something may have been carried out all the same."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(
            "a machine did not answer",
            detail=f"{host}: {reason}",
            remedy="check that the machine is running and that its port 50000 can be reached from here",
        )
        self.reason = reason


class NotYet(Retry):
    """FAILED_PRECONDITION: too early, or busy with something else."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__("a machine is not ready for the request", detail=f"{host}: {message}")
        self.message = message


class Trouble(Retry):
    """UNKNOWN, INTERNAL and the like: the machine tried."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__(
            "a machine failed to do what it was asked",
            detail=f"{host}: {message}",
            remedy=f"look at the machine's log: talosctl -n {host} dmesg",
        )


class Distrusted(OperatorNeeded):
    """The server's certificate does not verify; whether by its signer, its name or its dates, `reason` says."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(
            "a machine's certificate is not one of this cluster",
            detail=f"{host}: {reason}",
            remedy="check the address, and the clocks of both sides",
        )
        self.reason = reason


class Denied(OperatorNeeded):
    """PERMISSION_DENIED, UNAUTHENTICATED."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__(
            "a machine refuses our certificate's rights",
            detail=f"{host}: {message}",
            remedy="reset the machine: it was probably configured with secrets of another cluster",
        )


class Exists(Fatal):
    """ALREADY_EXISTS."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__("it has been done before", detail=f"{host}: {message}")


class Missing(Fatal):
    """NOT_FOUND."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__("the machine knows no such thing", detail=f"{host}: {message}")


class Rejected(Fatal):
    """INVALID_ARGUMENT: the machine names everything it finds wrong."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__(
            "the machine rejects the input",
            detail=f"{host}: {message}",
            remedy="correct what the machine names, usually in a patch, and apply again",
            effect=False,
        )
        self.host = host
        self.message = message


class Unsupported(Fatal):
    """UNIMPLEMENTED."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__(
            "the machine does not know the request",
            detail=f"{host}: {message}",
            remedy="check the Talos version that runs there, and whether it is a control plane",
            effect=False,
        )
