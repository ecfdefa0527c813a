"""What an object that is being made has fetched from us."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


@frozen
class Fetch:
    """One request to what a provider serves, or a row of requests for pieces of the same thing.

    number  counts the requests that one client has heard, from 1
    at      when it was answered
    name    of the object it was for, as its provider calls it; empty where nobody can tell
    what    was asked for, in the provider's words, such as `config`
    status  of the answer, as in HTTP
    peer    the address that asked
    size    bytes that were sent
    why     for people, where it was refused
    """

    number: int
    at: datetime
    name: str
    what: str
    status: int
    peer: str
    size: int = 0
    why: str = ""
