"""Serving alone: what hosts fetch while somebody else makes them, or nobody does any longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prov_metal.boot.tokens import redacted
from prov_metal.client import Client
from prov_metal.kinds.props import HostJob
from prov_metal.ways.known import WAYS
from prov_metal.ways.way import Trip
from provisioner.sdk import Context, Fetch, ProviderError, Retry

_INSTALLED = frozenset({"parted", "from-disk", "up"})
"""Phases in which a host needs nothing any longer."""
_STARTED = frozenset({"starting", "booting"})
"""Phases in which it may ask; before them its time has not begun, however long nobody goes on with it."""


def serve(client: Client, jobs: Sequence[HostJob], ctx: Context) -> Mapping[str, str]:
    """See `sdk.Serves`. No BMC is asked: the phases on record say what a host is at.

    Raises OperatorNeeded where nothing can be served at all.
    """
    client.serves = True
    client.boot.listen()
    found = {job.key: _served(client, job, ctx) for job in jobs}
    now = {job.wanted.host for job in jobs if job.wanted is not None}
    for host in client.served - now:
        _leave(client, host)
    client.served = now
    return found


def fetched(client: Client) -> Sequence[Fetch]:
    """What was asked of this process."""
    return [
        Fetch(one.number, one.at, one.host, one.what, one.status, one.peer, one.sent, f"{one.why} {one.said}".strip())
        for one in client.boot.requests()
    ]


def _served(client: Client, job: HostJob, ctx: Context) -> str:
    """What keeps a host from being served; empty where nothing does."""
    assert job.wanted is not None, "what is being made has its props"
    wanted = job.wanted
    if job.phase in _INSTALLED:
        _leave(client, wanted.host)
        return ""
    way = WAYS[job.memo.get("way", wanted.boot[0])]
    trip = Trip(client, wanted, client.bmc(wanted), ctx, job.generation, way=way.name)
    try:
        url = way.serve(trip)
        if job.phase not in _STARTED:
            client.boot.renew(wanted.host, trip.token)
    except Retry as err:
        return redacted(f"{err.summary}: {err.detail}")
    except ProviderError as err:
        return redacted(f"{err.summary}: {err.detail}; {err.remedy}")
    return "waits for its image" if url is None else ""


def _leave(client: Client, host: str) -> None:
    client.boot.revoke(host)
    if client.dhcp is not None:
        client.dhcp.dismiss(host)
