"""IPMI commands to one BMC over the network, one at a time.

The library pyghmi speaks the protocol. It keeps sockets, sessions and a thread in its module, and runs whatever comes
in for any BMC in the thread of whoever happens to wait, errors and waits included: a BMC that falls silent in the
middle of a login would hold up the calls to all others. So each line has that module to itself, executed anew and
never entered among the program's modules, and no wait is left to it: all commands are given with a callback, and are
over at a deadline of ours.

Sessions are few on a BMC. One is kept while it is used, left where it has been idle for as long as BMCs may allow
(60 s), and given back when the line is closed, which is when the program ends at the latest.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import socket
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen

from prov_metal.bmc.access import Access
from prov_metal.bmc.flavours import FLAVOURS
from provisioner.sdk import EndpointDown, OperatorNeeded, ProviderError, Retry, Throttled

LOGIN_S = 8.0
"""pyghmi tries twice in this time, each time with several packets."""
COMMAND_S = 10.0
IDLE_S = 25.0
"""A session that was not used for longer may be gone on the other side."""

MOST_OPEN = 400
"""So many sessions stay open at a time; with more, each is given back after its command. Each takes a file, and
pyghmi cannot wait for those with numbers from 1024 on (`select`)."""

_LONGEST_PASSWORD = 20
_LONGEST_NAME = 16
_SELECTABLE = 1000
_BUSY = {
    0xC0: "it is busy",
    0xC3: "it timed out by itself",
    0xD1: "a firmware update is under way",
    0xD2: "it starts",
}
_NOT_NOW = {0xC0, 0xC3, 0xCF, 0xD1, 0xD2, 0xD5}


@frozen
class Heard:
    """An answer's completion code, 0 for done, and its bytes behind that."""

    code: int
    data: bytes


@define(eq=False)
class Lan:
    """One BMC, one command at a time. Opens nothing before the first command."""

    access: Access
    login_s: float = LOGIN_S
    command_s: float = COMMAND_S
    session: int = field(init=False, default=0)
    """Counts the logins, but those after a session that was given back to make room: what was read in an earlier
    session may be of another chassis."""
    _lent: bool = field(init=False, default=False)
    _turn: threading.RLock = field(init=False, factory=threading.RLock)
    _talk: Talk | None = field(init=False, default=None)
    _used: float = field(init=False, default=0.0)

    def ask(self, netfn: int, command: int, *data: int) -> Heard:
        """One command and its answer, whatever its code. Raises ProviderError where there is none.

        Commands that are lost on the way are sent again, so they have to be such as can be repeated.
        """
        with self._turn:
            talk = self._opened()
            try:
                heard = talk.command(netfn, command, bytes(data), self.command_s)
            except TimeoutError:
                self.close()
                raise self._silent("has fallen silent", self.command_s) from None
            self._used = time.monotonic()
            if len(_TALKS) > MOST_OPEN:
                self.close()
                self._lent = True
            return heard

    def done(self, what: str, netfn: int, command: int, *data: int) -> bytes:
        """The bytes of an answer that says "done"; raises ProviderError for any other."""
        heard = self.ask(netfn, command, *data)
        if heard.code:
            raise self.refused(what, heard.code)
        return heard.data

    def close(self) -> None:
        """Gives the session back and ends the thread; a command after this begins another one."""
        with self._turn:
            if self._talk is not None:
                self._talk.close()
                self._talk = None

    def refused(self, what: str, code: int) -> ProviderError:
        """The error for a command that was answered with a code."""
        detail = f"{self.access.address.base} answered {code:#04x} to {what}"
        if code in _NOT_NOW:
            return Retry("a BMC cannot do this now", detail=f"{detail}{_why(code)}", after_s=5.0)
        if code == 0xD4:
            return OperatorNeeded(
                "a BMC does not allow this",
                detail=detail,
                remedy="give the user the privilege level of an operator or administrator on its LAN channel",
            )
        return OperatorNeeded(
            "a BMC refuses a request",
            detail=detail,
            remedy="look what it can do with `ipmitool -I lanplus`; another driver's address may suit it better",
        )

    def _opened(self) -> Talk:
        if self._talk is not None and time.monotonic() - self._used > IDLE_S:
            self.close()
        if self._talk is None:
            self._talk = self._logged_in()
            self.session += not self._lent
            self._lent = False
        return self._talk

    def _logged_in(self) -> Talk:
        host, port = self.access.address.place
        name, password = credentials(self.access)
        talk = Talk(self.access.address.cipher)
        try:
            said = talk.login(host, port, name, password, self.login_s)
        except TimeoutError:
            talk.close()
            raise self._silent("does not answer", self.login_s) from None
        except socket.gaierror:
            talk.close()
            raise EndpointDown(
                "a BMC does not answer", detail=f"{self.access.address.base}: nobody knows that name", after_s=5.0
            ) from None
        except OSError as err:
            talk.close()
            raise Retry(
                "a BMC cannot be asked now",
                detail=f"{self.access.address.base}: {err.strerror or err}",
                remedy="raise the limit of open files (`ulimit -n`), or make fewer hosts at a time",
                after_s=5.0,
            ) from None
        if said:
            talk.close()
            raise self.shut_out(said)
        return talk

    def _silent(self, what: str, waited_s: float) -> EndpointDown:
        enable = FLAVOURS[self.access.address.vendor or "generic"].enable
        return EndpointDown(
            "a BMC does not answer",
            detail=f"{self.access.address.base} {what}: nothing came for {waited_s:.0f} s",
            remedy=f"see whether it is plugged in and IPMI over LAN is on ({enable})" if enable else "",
            after_s=5.0,
        )

    def shut_out(self, said: str) -> ProviderError:
        """The error for a login that failed, by what pyghmi says of it."""
        base, name = self.access.address.base, self.access.username or "no user"
        for words, error in (
            (("Incorrect password", "Unauthorized name", "Invalid integrity check"), _refuses_user),
            (("Insufficient resources",), _full),
            (("Invalid role", "privilege", "privelege"), _too_low),
            (("Cipher", "algorithm", "integrity payload"), _no_cipher),
            (("Kg",), _key),
            (("IPMI 1.5", "MD5"), _old),
            (("timeout", "failed to initialize", "no longer connected"), None),
        ):
            if any(word in said for word in words):
                return error(base, name) if error else self._silent("does not answer", self.login_s)
        return Retry("a BMC cannot do this now", detail=f"{base} did not let {name} in: {said[:200]}", after_s=5.0)


def credentials(access: Access) -> tuple[str, str]:
    """User and password as IPMI can carry them; raises OperatorNeeded for longer ones."""
    name, password = access.username, str(access.password.reveal())
    for what, text, most in (("user", name, _LONGEST_NAME), ("password", password, _LONGEST_PASSWORD)):
        if len(text.encode()) > most:
            raise OperatorNeeded(
                "a user or a password is too long for IPMI",
                detail=f"{access.address.base}: the {what} has more than {most} bytes",
                remedy="give the BMC a user for IPMI with a shorter one, or speak Redfish with it",
            )
    return name, password


_LINES: weakref.WeakValueDictionary[Access, Lan] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()


def lan_of(access: Access) -> Lan:
    """The line to a BMC, one and the same for all who ask in this process."""
    with _LOCK:
        found = _LINES.get(access)
        if found is None:
            patience = (min(LOGIN_S, access.timeout_s), min(COMMAND_S, access.timeout_s))
            found = _LINES[access] = Lan(access, *patience)
        return found


class Talk:
    """A session of pyghmi's in a module of its own, with deadlines. Not for two threads at once."""

    def __init__(self, cipher: int = 0, *, closes_at_exit: bool = True) -> None:
        self.module = fresh("pyghmi.ipmi.private.session")
        self.kind = _session_type(self.module, cipher)
        self.session: Any = None
        _TALKS.add(self)
        # The program's end closes it too; the callback must not hold the object itself.
        self._end = weakref.finalize(self, _leave, self.module)
        self._end.atexit = closes_at_exit

    def login(self, host: str, port: int, name: str, password: str, limit_s: float) -> str:
        """Empty, or why there is no session. Raises TimeoutError, and OSError for a name that is none."""
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            if probe.fileno() >= _SELECTABLE:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        said: list[dict[str, Any]] = []
        self.session = self.kind(host, name, password, port=port, onlogon=said.append)
        self.wait(lambda: bool(said), limit_s)
        self.session.logontries = 0  # a session that is lost is for `Lan` to begin anew, not for pyghmi
        return str(said[0].get("error") or "")

    def command(self, netfn: int, command: int, data: bytes, limit_s: float) -> Heard:
        """Raises TimeoutError."""
        said: list[dict[str, Any]] = []
        try:
            self.session.raw_command(netfn=netfn, command=command, data=data, callback=said.append)
            self.wait(lambda: bool(said), limit_s)
        except Exception as err:
            # pyghmi raises its own for a session that went away, and whatever a broken answer leads it to.
            raise TimeoutError from err
        self.session.incommand = False
        if "error" in said[0] or "data" not in said[0]:
            raise TimeoutError
        return Heard(int(said[0]["code"]), bytes(said[0]["data"]))

    def wait(self, over: Callable[[], bool], limit_s: float) -> None:
        """Lets pyghmi work until something is over; raises TimeoutError."""
        end = time.monotonic() + limit_s
        while not over():
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.pause(min(left, 0.5))

    def pause(self, limit_s: float) -> None:
        """Lets pyghmi work until something comes."""
        self.module.Session.wait_for_rsp(limit_s)

    def close(self) -> None:
        _TALKS.discard(self)
        self._end()


_TALKS: weakref.WeakSet[Talk] = weakref.WeakSet()


def fresh(name: str) -> Any:
    """A module executed anew, and known to nobody else."""
    spec = importlib.util.find_spec(name)
    assert spec is not None, "pyghmi is installed with this package"
    assert spec.loader is not None, "pyghmi is a package of files"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _leave(module: Any) -> None:
    """Logs out without waiting for an answer, ends the module's thread, and closes its sockets."""
    thread = module.iothread
    if thread is None:
        return
    for handlers in list(module.Session.bmc_handlers.values()):
        for session in list(handlers.values()):
            session.cleaningup = True
            session.incommand, session.lastpayload = False, None  # else it would wait for what was asked last
            with contextlib.suppress(Exception):  # it is gone already
                session.logout(False)
    thread.running = False
    with contextlib.suppress(OSError):  # without a loopback the thread sleeps on: a daemon, it ends with the program
        module.iosockets[0].sendto(b"\x01", (module.myself, module.iosockets[0].getsockname()[1]))
    threading.Thread.join(thread, 1.0)  # that of pyghmi begins anew what is being ended
    if not thread.is_alive():
        for each in module.iosockets:
            each.close()


def _session_type(module: Any, cipher: int) -> Any:
    """pyghmi's session with a choice of cipher suites, and without IPMI 1.5, which encrypts nothing.

    By itself it offers suite 17 and, refused, suite 3. It does not look which one the BMC then says it has chosen;
    some answer an offer of 17 by taking 3. (IPMI 2.0, 13.18: the answer has the chosen algorithms in byte 12 on.)
    """

    class Session(module.Session):  # type: ignore[misc]
        def _initsession(self) -> None:
            super()._initsession()
            if cipher == 3 or getattr(self, "_suite", 0) == 3:
                self.attemptedhash = 1

        def _got_rmcp_response(self, data: bytes) -> Any:
            if data[1] and cipher == 17:
                return self.onlogon({"error": "No Cipher suite match"})
            chosen = data[16] if len(data) > 16 else 0
            if not data[1] and chosen == 1 and self.attemptedhash != 1:
                if cipher == 17:
                    return self.onlogon({"error": "No Cipher suite match"})
                self._suite = 3
                self.attemptedhash = 1
                return self._open_rmcpplus_request()
            return super()._got_rmcp_response(data)

        def _get_session_challenge(self) -> None:
            self.onlogon({"error": "only IPMI 1.5"})

    return Session


def _why(code: int) -> str:
    return f": {_BUSY[code]}" if code in _BUSY else ""


def _refuses_user(base: str, name: str) -> ProviderError:
    return OperatorNeeded(
        "a BMC refuses the user or the password",
        detail=f"{base} did not let {name} in",
        remedy="correct username and password in the inventory or the provider block",
    )


def _full(base: str, name: str) -> ProviderError:
    return Throttled("a BMC has no session left", detail=f"{base}: others have to log out first", after_s=15.0)


def _too_low(base: str, name: str) -> ProviderError:
    return OperatorNeeded(
        "a BMC does not allow this",
        detail=f"{base}: {name} is neither operator nor administrator on the LAN channel",
        remedy="give the user the privilege level of an operator or administrator there",
    )


def _no_cipher(base: str, name: str) -> ProviderError:
    return OperatorNeeded(
        "a BMC and prov have no cipher suite in common",
        detail=f"{base} takes none of those that prov offers: 17 and 3, or the one behind `?cipher=`",
        remedy="enable cipher suite 17 on the BMC, or take `?cipher=` out of its address",
    )


def _key(base: str, name: str) -> ProviderError:
    return OperatorNeeded(
        "a BMC wants a key of its own",
        detail=f"{base}: the password is right, the key K_G is not the password",
        remedy="clear the BMC key (K_G) of its LAN channel",
    )


def _old(base: str, name: str) -> ProviderError:
    return OperatorNeeded(
        "a BMC speaks an IPMI without encryption only",
        detail=f"{base} offers IPMI 1.5",
        remedy="enable IPMI 2.0 (RMCP+) on it, or update its firmware",
    )
