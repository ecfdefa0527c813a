"""What a host is at: one of ours, in maintenance, somebody else's, or silent.

How to tell (Talos, from 1.13): in maintenance the API answers anyone, with a certificate that no cluster
signed; a configured machine answers only those with a client certificate of its cluster.

    handshake with our certificate
      ├─ verifies ────────────────► Configured
      ├─ nobody there, cut off ───► Silent
      └─ does not verify ─────────► ask again without any certificate
            ├─ answers ───────────► Maintenance
            └─ does not ──────────► look at the certificate
                  ├─ of maintenance ─► Silent: it is changing over
                  ├─ of our cluster ─► Silent: wrong address or wrong clock
                  └─ neither ────────► Foreign

What OpenSSL finds wrong first says little: all Talos authorities have the same name, so a stranger's
certificate can look like one of ours with the wrong address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from grpclib.client import Channel
from grpclib.exceptions import GRPCError

from provisioner.sdk import ProviderError
from provisioner.talos.api.access import Configured, Foreign, Maintenance, Member, Outlook, Service, Silent
from provisioner.talos.api.calls import cosi, etcd, machine
from provisioner.talos.api.connections import Call, Connections, server_certificate
from provisioner.talos.api.errors import Distrusted, NoAnswer
from provisioner.talos.api.identity import unverified_context

TIMEOUT_S = 5.0
_ETCD_TIMEOUT_S = 3.0
_MAINTENANCE_NAME = "maintenance-service.talos.dev"


async def probe(
    host: str,
    ours: Connections,
    anyone: Connections,
    signed_by_us: Callable[[bytes], bool],
    questions: Call[Configured],
) -> Outlook:
    """Looks at one host over both kinds of connections; never raises a provider error.

    `signed_by_us` tells of a server certificate, in DER, whether our authority made it. `questions` are asked of
    a machine of ours.
    """
    try:
        return await ours.ask(host, questions, timeout_s=TIMEOUT_S)
    except Distrusted as err:
        return await _distrusted(host, anyone, signed_by_us, err.reason)
    except NoAnswer as err:
        return Silent(err.reason)
    except ProviderError as err:
        return Silent(f"{err.summary}: {err.detail}")


async def _distrusted(host: str, anyone: Connections, signed_by_us: Callable[[bytes], bool], reason: str) -> Outlook:
    try:
        status = await anyone.ask(host, lambda channel: cosi.get(channel, cosi.STATUS), timeout_s=TIMEOUT_S)
        return Maintenance(_stage(status))
    except ProviderError as err:
        refusal = err.detail
    try:
        shown = await server_certificate(host, unverified_context(alpn="h2"), timeout_s=TIMEOUT_S)
    except OSError as err:
        return Silent(str(err) or "no answer in time")
    if _MAINTENANCE_NAME.encode() in shown:  # the subject's name stands in DER as it is
        return Silent(f"in maintenance, without an answer: {refusal}")
    if signed_by_us(shown):
        return Silent(f"its certificate does not verify: {reason}")
    return Foreign("its certificate is of another cluster")


async def survey(channel: Channel, *, configs: bool = True, services: bool = True) -> Configured:
    """What we want to know of a machine of ours, in two round trips at most; see `Access.look`."""
    parts: list[dict[str, Any]] = await _together(
        _status(channel),
        *([_configs(channel)] if configs else []),
        *([_services(channel)] if services else []),
    )
    return Configured(**{name: value for part in parts for name, value in part.items()})


async def _status(channel: Channel) -> dict[str, Any]:
    status = await cosi.get(channel, cosi.STATUS)
    verdict = (status or {}).get("status") or {}
    return {
        "stage": _stage(status),
        "ready": bool(verdict.get("ready", False)),
        "unmet": tuple(_unmet(item) for item in verdict.get("unmetConditions") or ()),
    }


async def _configs(channel: Channel) -> dict[str, Any]:
    boot, active, persistent = await _together(
        cosi.get(channel, cosi.BOOT_ID),
        cosi.get(channel, cosi.ACTIVE_CONFIG),
        cosi.get(channel, cosi.PERSISTENT_CONFIG),
    )
    boot_id = str(next(iter((boot or {}).values()), ""))
    return {"boot_id": boot_id, "active": active or "", "persistent": persistent}


async def _services(channel: Channel) -> dict[str, Any]:
    services, version = await _together(machine.services(channel), machine.version(channel))
    return {"services": services, "members": await _members(channel, services), "version": version}


async def _together(*questions: Coroutine[Any, Any, Any]) -> list[Any]:
    """The answers, in order; the first error where there is one.

    A group, since a call left behind by a failed one would open the connection again.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(question) for question in questions]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


async def _members(channel: Channel, services: Mapping[str, Service]) -> tuple[Member, ...] | None:
    """The member list, where etcd is up to answer; a member that just goes down has none."""
    running = services.get("etcd")
    if running is None or running.state != "Running":
        return None
    try:
        async with asyncio.timeout(_ETCD_TIMEOUT_S):
            return await etcd.members(channel)
    except (GRPCError, TimeoutError):
        return None


def _stage(status: dict[str, str] | None) -> str:
    return str((status or {}).get("stage", "unknown"))


def _unmet(item: dict[str, str]) -> str:
    return f"{item.get('name', '')}: {item.get('reason', '')}"
