"""Waiting for conditions, and finding one among many objects, without looking at all of them."""

from __future__ import annotations

import asyncio

from prov_sim.changes import Changes


async def _turn() -> None:
    """Lets everything that can run have run."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_only_who_waits_for_a_topic_looks_again():
    """Each waiter looks once at first, and once more for each announcement that concerns it."""
    looks = {"a": 0, "b": 0}

    def never(name: str) -> bool:
        looks[name] += 1
        return False

    async def story() -> None:
        changes = Changes()
        waiting = [asyncio.create_task(changes.until(lambda n=name: never(n), name, "both")) for name in looks]
        await _turn()
        changes.announce("a")
        await _turn()
        changes.announce("nobody's")
        await _turn()
        changes.announce("a", "both")
        await _turn()
        for task in waiting:
            task.cancel()

    asyncio.run(story())

    assert looks == {"a": 3, "b": 2}


def test_whoever_stops_waiting_is_forgotten():
    """A machine that is switched off leaves nothing behind under the topics of others."""

    async def story() -> Changes:
        changes = Changes()
        task = asyncio.create_task(changes.until(lambda: False, "own", "shared"))
        await _turn()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return changes

    assert asyncio.run(story()).topics == set()


def test_many_workers_that_wait_for_a_control_plane_all_come_up(cluster):
    """Nobody is overlooked: neither those that wait for a certificate, nor those that wait for Kubernetes."""
    for number in range(120):
        cluster.add(f"w-{number}")
    cluster.make("cp-1")

    for number in range(120):
        cluster.sim.wait(f"w-{number}", ready=True)
