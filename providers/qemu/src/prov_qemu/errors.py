"""What a failure on this computer means for a run of `prov`."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from prov_qemu.records import Taken
from provisioner.sdk import Fatal, OperatorNeeded, ProviderError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def provider_error(err: OSError) -> ProviderError:
    """The error of the house's family for an error of the system, with what to do next."""
    detail = f"{err.filename}: {err.strerror}" if err.filename else str(err.strerror or err)
    if err.errno in _FULL:
        return OperatorNeeded(
            "there is no more room on the disk",
            detail=detail,
            remedy="make room, or set PROV_QEMU_DIR to a folder on a larger disk; then run prov again",
        )
    if err.errno in _FORBIDDEN:
        return OperatorNeeded(
            "this computer does not allow it",
            detail=detail,
            remedy="check who owns the file and what you may do; then run prov again",
        )
    return OperatorNeeded(
        "this computer failed", detail=detail, remedy="see to what the detail names, then run again"
    )


@contextlib.contextmanager
def as_provider_errors() -> Iterator[None]:
    """Lets errors of the system inside come out as errors of the house."""
    try:
        yield
    except Taken as err:
        raise Fatal(
            "there is another object of this name",
            detail=str(err),
            remedy="give this cluster another name, or destroy the other one; `prov qemu list` shows what there is",
            effect=False,
        ) from None
    except OSError as err:
        raise provider_error(err) from None
