"""What can speak against a plan, in words."""

from __future__ import annotations

from collections.abc import Sequence

from provisioner.errors import Place, Problem
from provisioner.model.address import Address
from provisioner.model.resource import Resource, Unreachable
from provisioner.model.state import Entry, Move
from provisioner.model.value import strip_origins

_MOST = 3
"""So many addresses are named where there may be hundreds."""


def place_of(resource: Resource) -> Place:
    """Where a resource stands in the file, or else its address."""
    return resource.place if resource.place.file else Place(address=str(resource.address))


def no_expression(sentence: str, place: Place) -> Problem:
    """A call that is known and cannot be done."""
    return Problem("expression", "an expression cannot be computed", sentence, place, "correct the expression")


def ill_formed(resource: Resource, name: str, sentence: str) -> Problem:
    """A property that its kind does not take."""
    return Problem(
        "property",
        "a property does not fit its kind",
        f"{resource.address}: {name} {sentence}",
        place_of(resource),
        f"see the properties of {resource.address.kind} with `prov providers {resource.address.provider_type}`",
    )


def astray(resource: Resource, path: str) -> Problem:
    """A path to be ignored that begins with no property of the kind."""
    return Problem(
        "ignore",
        "a path to be ignored leads nowhere",
        f"{resource.address}: {resource.address.kind} has no property {path.partition('.')[0]!r}",
        place_of(resource),
        f"see the properties of {resource.address.kind} with `prov providers {resource.address.provider_type}`",
    )


def protected(entry: Entry, place: Place, verb: str) -> Problem:
    """A protected resource that the plan would take away."""
    return Problem(
        "protected",
        "a protected resource would be removed",
        f"{entry.address} would be {verb}",
        place,
        "take `protect: true` off it in the file, apply that, and try again",
    )


def nothing_found(resource: Resource) -> Problem:
    """A lookup that was answered with nothing."""
    return Problem(
        "lookup",
        "nothing was found that a lookup asks for",
        f"{resource.address}: there is nothing that fits its properties{_plainly(resource)}",
        place_of(resource),
        "correct its properties, or make what it looks for",
    )


def _plainly(resource: Resource) -> str:
    """What a lookup asks for, as far as it is plain text, numbers and the like."""
    given = {name: strip_origins(value) for name, value in resource.props.items()}
    told = (f"{name} {value}" for name, value in given.items() if isinstance(value, str | int) and value != "")
    text = ", ".join(told)
    return f": {text}" if text else ""


def no_answer(resource: Resource, users: Sequence[Address], silent: Unreachable) -> Problem:
    """A lookup that could not be asked, though something needs its answer."""
    named = ", ".join(map(str, users[:_MOST]))
    more = f" and {len(users) - _MOST} more" if len(users) > _MOST else ""
    need = "needs" if len(users) == 1 else "need"
    return Problem(
        "lookup-unreachable",
        "a lookup cannot be answered",
        f"{resource.address}: {silent.reason}; {named}{more} {need} it",
        place_of(resource),
        silent.remedy or "try again once it can be reached",
    )


def cannot_adopt(resource: Resource) -> Problem:
    """An `import:` for a kind that cannot."""
    return Problem(
        "import-kind",
        "this kind cannot take over what is there",
        f"{resource.address} names {resource.adopts!r} under `import:`",
        place_of(resource),
        "take `import:` out, and prov makes one of its own",
    )


def nothing_to_adopt(resource: Resource) -> Problem:
    """An `import:` of an id that the remote does not know."""
    return Problem(
        "import-absent",
        "there is nothing under the id to be imported",
        f"{resource.address}: the provider {resource.provider!r} knows no {resource.adopts!r}",
        place_of(resource),
        "correct the id under `import:`, or take it out to have one made",
    )


def adoption_unknown(resource: Resource, reason: str) -> Problem:
    """An `import:` of something that could not be asked."""
    return Problem(
        "import-unreachable",
        "what is to be imported cannot be reached",
        f"{resource.address}: {resource.adopts!r}: {reason}",
        place_of(resource),
        "try again once it can be reached",
    )


def unlike(resource: Resource, name: str) -> Problem:
    """An `import:` of something that the file wants otherwise where it cannot be changed."""
    return Problem(
        "import-differs",
        "what is to be imported would have to be replaced at once",
        f"{resource.address}: {name} of {resource.adopts!r} is not what the file says, and cannot change",
        place_of(resource),
        f"write {name} as it is there, or take `import:` out to have a new one made",
    )


def taken(resource: Resource, entry: Entry) -> Problem:
    """An `import:` under an address that stands for another object."""
    return Problem(
        "import-taken",
        "the address of an import stands for another object",
        f"{resource.address} is {entry.id or 'still being made'}, and `import:` names {resource.adopts!r}",
        place_of(resource),
        "take `import:` out, or import under another name",
    )


def ill_expanded(address: Address, sentence: str) -> Problem:
    """A kind whose steps for a change do not add up."""
    return Problem(
        "expansion",
        "a provider plans a change in a way that cannot be done",
        f"{address}: {sentence}",
        Place(address=str(address)),
        f"this is a fault of the provider {address.provider_type}: please report it to those who made it",
    )


def unlike_kinds(move: Move) -> Problem:
    """A move between kinds."""
    return Problem(
        "moved-kind",
        "a move must stay within one kind",
        f"{move.origin} cannot become {move.target}",
        Place(address=str(move.target)),
        "correct the entry under `moved:`",
    )


def both_on_record(move: Move) -> Problem:
    """A move onto an address that is taken."""
    return Problem(
        "moved-taken",
        "the target of a move is taken",
        f"{move.origin} cannot become {move.target}, which is on record too",
        Place(address=str(move.target)),
        "take the entry out of `moved:` if it was done earlier; else move or remove what has the target's address",
    )
