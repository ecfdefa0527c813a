"""What `prov sim list --json` shows: the whole world as plain data, without secrets."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict

from prov_sim.balancer import Balancer
from prov_sim.machine.etcd import Domain, Etcd
from prov_sim.machine.machine import Machine
from prov_sim.machine.services import unmet
from prov_sim.world import World

NOTICE: Final = "Everything here lives in the memory of this daemon; when it stops, all of it is gone."


def show_world(world: World) -> dict[str, Any]:
    """Machines and balancers by name, clusters, counters of calls, and the faults still to come."""
    return {
        "notice": NOTICE,
        "machines": [show_machine(machine) for machine in sorted(world.machines.values(), key=_by_name)],
        "balancers": [show_balancer(balancer) for balancer in sorted(world.balancers.values(), key=_by_name)],
        "clusters": [_show_domain(domain) for domain in world.domains()],
        "calls": {"control": dict(sorted(world.control_calls.items())), "api": dict(sorted(world.api_calls.items()))},
        "erased": [
            {"name": name, "id": id_, "disk": disk, "times": times}
            for (name, id_, disk), times in sorted(world.erasures.items())
        ],
        "taken_full": [{"name": name, "id": id_, "disk": disk} for name, id_, disk in world.taken_full],
        "faults": [asdict(fault) for fault in world.faults.pending()],
    }


def show_machine(machine: Machine) -> dict[str, Any]:
    order, config = machine.order, machine.disk.config
    data = machine.disk.etcd
    missing = unmet(machine)
    return {
        "id": machine.id,
        "name": order.name,
        "group": order.group,
        "key": order.key,
        "lineage": order.lineage,
        "role": machine.role,
        "cpus": order.cpus,
        "memory_mib": order.memory_mib,
        "zone": order.zone,
        "image": order.image,
        "platform": order.platform,
        "disk": order.disk,
        "extra_disks": [*order.extra_disks],
        "filled": sorted(machine.disk.filled),
        "address": machine.address,
        "power": "dead" if machine.dead else machine.power,
        "stage": machine.stage,
        "fingerprint": machine.fingerprint if machine.stage == "maintenance" else "",
        "ready": machine.stage == "running" and not missing,
        "unmet": [f"{name}: {reason}" for name, reason in missing],
        "held": machine.held,
        "boots": machine.boots,
        "boot_id": machine.boot_id,
        "installed": machine.disk.installed,
        "waits_for_boot": list(machine.waits_for_boot),
        "hostname": machine.hostname if machine.active is not None else "",
        "type": machine.active.type if machine.active is not None else "",
        "config_digest": config.digest if config is not None else "",
        "etcd": {
            "state": machine.etcd_state,
            "member": f"{data.member.id:016x}" if data is not None and not data.removed else "",
            "learner": data is not None and data.member.learner,
        },
        "error": machine.error,
    }


def show_balancer(balancer: Balancer) -> dict[str, Any]:
    order = balancer.order
    return {
        "id": balancer.id,
        "name": order.name,
        "group": order.group,
        "key": order.key,
        "lineage": order.lineage,
        "address": balancer.address,
    }


def _show_domain(domain: Domain) -> dict[str, Any]:
    return {"id": domain.name, "bootstraps": domain.bootstraps, "etcd": [_show_etcd(etcd) for etcd in domain.etcds]}


def _show_etcd(etcd: Etcd) -> dict[str, Any]:
    return {
        "healthy": etcd.healthy,
        "quorum": etcd.quorum,
        "members": [
            {
                "id": f"{member.id:016x}",
                "name": member.name,
                "address": member.address,
                "learner": member.learner,
                "up": member.up,
            }
            for member in etcd.members.values()
        ],
        "nodes": [{"name": name, "ready": node.ready} for name, node in sorted(etcd.nodes.items())],
    }


def _by_name(thing: Machine | Balancer) -> tuple[str, str]:
    return thing.order.group, thing.order.name
