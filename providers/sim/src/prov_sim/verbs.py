"""The control calls of a daemon: what a cloud's API would be, and faults on demand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from attrs import NOTHING, asdict, fields

from prov_sim.balancer import Balancer, BalancerOrder
from prov_sim.faults import KINDS, Fault
from prov_sim.holdings import Holdings
from prov_sim.listing import show_balancer, show_machine, show_world
from prov_sim.machine.documents import BadConfig, edited
from prov_sim.machine.machine import Machine
from prov_sim.machine.order import Order
from prov_sim.machine.words import words
from prov_sim.world import Refused, World

Request = Mapping[str, Any]
Result = dict[str, Any]
O = TypeVar("O", Order, BalancerOrder)  # noqa: E741  (an order)
Thing = TypeVar("Thing", Machine, Balancer)

API_METHODS: Final = words(
    "ApplyConfiguration Bootstrap EtcdMemberList EtcdRemoveMemberByID Reset ServiceList Version"
)


class AnswerLost(Exception):
    """The call was done, and its answer shall not arrive."""


class Verbs:
    """Does control calls by name. `stop` is called when somebody asks the daemon to end."""

    def __init__(self, world: World, stop: Callable[[], None]) -> None:
        self._world = world
        self._stop = stop
        self._cloud: Mapping[str, Callable[[Request], Awaitable[Result]]] = {
            "create_machine": self._create_machine,
            "update_machine": self._update_machine,
            "delete_machine": self._delete_machine,
            "create_balancer": self._create_balancer,
            "delete_balancer": self._delete_balancer,
            "adopt_machine": self._adopt_machine,
            "adopt_balancer": self._adopt_balancer,
            "list": self._list,
        }
        self._tools: Mapping[str, Callable[[Request], Result]] = {
            "power": self._power,
            "vanish": self._vanish,
            "disown": self._disown,
            "hold": self._hold,
            "slow": self._slow,
            "edit": self._edit,
            "fail": self._fail,
            "stop": self._end,
        }

    async def call(self, verb: str, request: Request) -> Result:
        """Raises Refused, or AnswerLost when a fault says so."""
        tool = self._tools.get(verb)
        if tool is not None:
            return tool(request)
        if verb == "show":
            return show_world(self._world)
        if verb not in self._cloud:
            raise Refused("invalid", f"no verb {verb!r}")
        self._world.control_calls[verb] += 1
        fault = self._world.faults.next(verb)
        if fault not in ("", "lost"):
            raise Refused(fault, f"{verb} was made to fail")
        result = await self._cloud[verb](request)
        if fault == "lost":
            raise AnswerLost
        return result

    # What a cloud does.

    async def _create_machine(self, request: Request) -> Result:
        return show_machine(self._world.create_machine(_order(Order, request)))

    async def _update_machine(self, request: Request) -> Result:
        machine = _owned(self._world.machines, request)
        if machine is None:
            raise Refused("not-found", "there is no such machine")
        if request["power"] == "on" and machine.dead:
            raise Refused("dead", f"{machine.order.name} is dead and cannot be switched on")
        if request["power"] == "on":
            machine.switch_on()
        else:
            machine.switch_off()
        return show_machine(machine)

    async def _delete_machine(self, request: Request) -> Result:
        machine = _owned(self._world.machines, request)
        if machine is not None:
            self._world.delete_machine(machine)
        return {}

    async def _create_balancer(self, request: Request) -> Result:
        return show_balancer(await self._world.create_balancer(_order(BalancerOrder, request)))

    async def _delete_balancer(self, request: Request) -> Result:
        balancer = _owned(self._world.balancers, request)
        if balancer is not None:
            self._world.delete_balancer(balancer)
        return {}

    async def _adopt_machine(self, request: Request) -> Result:
        return show_machine(_adopted(self._world.machines, request))

    async def _adopt_balancer(self, request: Request) -> Result:
        return show_balancer(_adopted(self._world.balancers, request))

    async def _list(self, request: Request) -> Result:
        """Those asked for by key, id and lineage; everything where the call names nothing."""
        machines, balancers = self._world.machines, self._world.balancers
        if "machines" not in request and "balancers" not in request:
            shown = show_world(self._world)
            return {name: shown[name] for name in ("machines", "balancers")}
        return {
            "machines": [show_machine(machine) for machine in _all_owned(machines, request.get("machines", ()))],
            "balancers": [show_balancer(item) for item in _all_owned(balancers, request.get("balancers", ()))],
        }

    # What only a simulator does.

    def _power(self, request: Request) -> Result:
        machine = self._machine(request)
        actions = {
            "on": machine.switch_on,
            "off": machine.switch_off,
            "die": machine.die,
            "reboot": machine.reboot,
        }
        if request["action"] not in actions:
            raise Refused("invalid", f"no power action {request['action']!r}; there are {', '.join(actions)}")
        actions[request["action"]]()
        return show_machine(machine)

    def _vanish(self, request: Request) -> Result:
        machine = self._machine(request)
        self._world.delete_machine(machine)
        return show_machine(machine)

    def _disown(self, request: Request) -> Result:
        machine = self._machine(request)
        self._world.machines.give(machine, "", f"nobody's {machine.id}")
        return show_machine(machine)

    def _hold(self, request: Request) -> Result:
        machine = self._machine(request)
        machine.held = bool(request["held"])
        if not machine.held:
            machine.release()
        return show_machine(machine)

    def _slow(self, request: Request) -> Result:
        machine = self._machine(request)
        machine.pace.slowness = float(request["factor"])
        return show_machine(machine)

    def _edit(self, request: Request) -> Result:
        machine = self._machine(request)
        if machine.active is None:
            raise Refused("invalid", f"{machine.order.name} runs no configuration")
        try:
            machine.apply_live(edited(machine.active, request["path"], request["value"]))
        except (KeyError, BadConfig):
            raise Refused("invalid", f"nothing can be set at {request['path']!r}") from None
        return show_machine(machine)

    def _fail(self, request: Request) -> Result:
        verb, kind = request["call"], request["kind"]
        if kind not in KINDS or (verb in API_METHODS and kind != "lost"):
            raise Refused("invalid", f"{verb} cannot fail as {kind!r}")
        if verb not in API_METHODS and verb not in self._cloud:
            names = ", ".join(sorted([*self._cloud, *API_METHODS]))
            raise Refused("invalid", f"no call {verb!r}; there are {names}")
        machine = self._machine(request).id if request.get("machine") else ""
        fault = Fault(verb, kind, int(request.get("times", 1)), machine)
        self._world.faults.add(fault)
        return asdict(fault)

    def _end(self, request: Request) -> Result:
        self._stop()
        return {}

    def _machine(self, request: Request) -> Machine:
        """By id, name, or GROUP/NAME."""
        name = request["machine"]
        found = [
            machine
            for machine in self._world.machines.values()
            if name in (machine.id, machine.order.name, f"{machine.order.group}/{machine.order.name}")
        ]
        if len(found) != 1:
            raise Refused("not-found", f"{len(found)} machines are called {name!r}; give an id or GROUP/NAME")
        return found[0]


def _order(cls: type[O], request: Request) -> O:
    try:
        return cls(**{item.name: _given(item, request) for item in fields(cls)})
    except KeyError as err:
        raise Refused("invalid", f"{err.args[0]} is missing") from None


def _given(item: Any, request: Request) -> Any:
    """A field of an order; JSON has lists where it has tuples."""
    value = request[item.name] if item.default is NOTHING else request.get(item.name, item.default)
    return tuple(value) if isinstance(value, list) else value


def _all_owned(things: Holdings[Thing], requests: Iterable[Request]) -> list[Thing]:
    found = (_owned(things, request) for request in requests)
    return [thing for thing in found if thing is not None]


def _adopted(things: Holdings[Thing], request: Request) -> Thing:
    """The object of this id, which has the key of the request from now on; not if it is of another lineage."""
    thing = things.get(request["id"])
    if thing is None:
        raise Refused("not-found", f"there is nothing with the id {request['id']}")
    if thing.order.lineage not in ("", request["lineage"]):
        raise Refused("conflict", f"{thing.order.group}/{thing.order.name} belongs to somebody else")
    things.give(thing, request["lineage"], request["key"])
    return thing


def _owned(things: Holdings[Thing], request: Request) -> Thing | None:
    """The object of this key, or of this id and lineage; what is somebody else's is not found."""
    return things.owned(request["lineage"], request["key"], request.get("id"))
