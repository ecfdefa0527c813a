"""A test bed for AWS: moto's server, and around it what real AWS does and moto does not.

    with Bed() as bed:
        ec2 = bed.client("ec2")

It is one process, on loopback. Added are a lock around everything, client tokens, states that last, objects that do
not show yet, dependencies, limits and names that are checked, faults on demand, and a record of all calls.
moto keeps its objects in module globals, so a process has one bed at a time.
"""

from __future__ import annotations

import functools
import io
import os
import socket
import struct
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlencode

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # moto takes its settings from there

import boto3
from attrs import define, field, fields, frozen
from beds.aws import checks, dependencies, gaps, health, sixes, states, stubs  # noqa: F401  (they register rules)
from beds.aws.calls import Answer, Call, read_call
from beds.aws.faults import BROKEN, Faults, error_of
from beds.aws.health import Target, healthy_targets
from beds.aws.holds import Holds, Pace
from beds.aws.rules import AFTER, BEFORE, INSTEAD, Refusal
from beds.aws.stubs import ImportTask, PlacementGroup
from beds.aws.tokens import Tokens
from beds.aws.views import Past, ids_in, refuse_hidden, without
from botocore.config import Config
from moto.backends import get_backend
from moto.ec2 import utils as ec2_utils
from moto.ec2.models.amis import Ami
from moto.iam.models import get_account_id_from
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import run_wsgi_app

TALOS: Final = "540036508848"
"""The account that publishes the official Talos images."""
REGION: Final = "eu-west-1"
ec2_utils.filter_dict_attribute_mapping.setdefault("client-token", "client_token")  # moto answers 500 else


@frozen
class Record:
    """A call that arrived, and what became of it: the status and body of its answer, or the fault that cut it off."""

    call: Call
    status: int = 0
    body: bytes = b""
    fault: str = ""


_LASTING: Final = frozenset({"_lock", "_moto", "_server", "_thread"})
"""What of a bed stays when it is renewed."""


class _Cut(Exception):
    """Nothing is answered: the connection ends."""


@define
class Bed:
    """The bed. `pace` is how long states last, `unseen` how long new objects do not show, `linger` how long a
    balancer that is deleted keeps things busy, `stale_s` how old a stale answer can be, `delay_s` how long each call
    takes besides.
    """

    pace: Pace = field(factory=lambda: Pace(polls=1))
    unseen: Pace = field(factory=Pace)
    linger: Pace = field(factory=Pace)
    stale_s: float = 2.0
    delay_s: float = 0.0
    now: Callable[[], float] = time.monotonic
    port: int = 0
    keeps_bodies: bool = False

    faults: Faults = field(factory=Faults)
    records: list[Record] = field(factory=list)
    health: Callable[[Target], bool] = lambda target: True
    tokens: Tokens = field(factory=Tokens)
    holds: Holds = field(init=False)
    placement_groups: dict[tuple[str, str, str], PlacementGroup] = field(factory=dict)
    import_tasks: dict[str, ImportTask] = field(factory=dict)
    registered: dict[str, dict[str, Any]] = field(factory=dict)
    image_sizes: dict[str, int] = field(factory=dict)
    balancer_requests: dict[str, dict[str, Any]] = field(factory=dict)
    caller_references: set[str] = field(factory=set)
    mapped: dict[str, set[str]] = field(factory=dict)
    lingering: dict[str, Any] = field(factory=dict)
    doomed: str = ""
    """Why new instances end by themselves after a while, such as `Client.InternalError: …`; empty where they run."""
    plain: bool = False
    """Whether moto answers alone, as if there were no bed."""
    silent: bool = False
    """Whether nothing at all is answered."""

    _hidden: set[str] = field(factory=set)
    _known: set[str] = field(factory=set)
    _past: Past = field(factory=Past)
    _made: int = 0
    _lock: threading.RLock = field(factory=threading.RLock)
    _moto: Any = None
    _server: BaseWSGIServer | None = None
    _thread: threading.Thread | None = None

    def __attrs_post_init__(self) -> None:
        self.holds = Holds(lambda: self.now())

    # its life

    def __enter__(self) -> Bed:
        moto_api_backend.reset()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", self.port, self._serve, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def renew(self) -> None:
        """Empties the bed, and lets it be as it was made, at the same place."""
        with self._lock:
            fresh = Bed(port=self.port)
            for name in (item.name for item in fields(Bed) if item.name not in _LASTING):
                setattr(self, name, getattr(fresh, name))
            self.holds = Holds(lambda: self.now())
            moto_api_backend.reset()

    @property
    def url(self) -> str:
        """Where all services answer."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environ(self) -> dict[str, str]:
        """What a process needs to talk to the bed in the ordinary way."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = REGION, attempts: int = 1) -> Any:
        """A client of boto3, as somebody else would use it."""
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=60,
            read_timeout=60,
            s3={"addressing_style": "path"},
            parameter_validation=False,
            max_pool_connections=32,
        )
        return _session().client(service, region_name=region, endpoint_url=self.url, config=config)

    # what tests say and ask

    def publish_image(
        self, name: str, *, owner: str = TALOS, architecture: str = "x86_64", region: str = REGION, gib: int = 8
    ) -> str:
        """A public image of somebody else's, ready to start from; gives its id."""
        with self._lock:
            ec2 = get_backend("ec2")["123456789012"][region]
            image = Ami(
                ec2,
                self.new_id("ami"),
                name=name,
                owner_id=owner,
                public=True,
                architecture=architecture,
                virtualization_type="hvm",
                root_device_type="ebs",
                root_device_name="/dev/xvda",
                image_location=f"{owner}/{name}",
            )
            ec2.amis[image.id] = image
            ec2.snapshots.pop(image.ebs_snapshot.id)  # it is not this account's
            self.image_sizes[image.id] = gib
            self._known.add(image.id)
            return image.id

    def publish_talos(self, version: str, region: str = REGION) -> dict[str, str]:
        """The official images of a Talos release in a region, by architecture as AWS calls them."""
        names = {"x86_64": "amd64", "arm64": "arm64"}
        return {
            architecture: self.publish_image(
                f"talos-{version}-{region}-{name}", architecture=architecture, region=region
            )
            for architecture, name in names.items()
        }

    def calls(self) -> Counter[str]:
        """How often each action was called, such as `ec2:RunInstances`."""
        with self._lock:
            return Counter(record.call.name for record in self.records)

    def writes(self) -> int:
        """How many calls changed something, or would have."""
        return sum(1 for record in [*self.records] if not record.call.reads and record.status < 400)

    def settle(self) -> None:
        """Lets everything that lasts be over."""
        with self._lock:
            self.holds.end_all()

    def healthy(self, group: str, region: str = REGION) -> list[Target]:
        """The targets that a balancer forwards to, of a target group by its ARN."""
        with self._lock:
            self.holds.pass_()
            return [*healthy_targets(self, Call("elbv2", region, "123456789012", "Forward"), group)]

    # what rules use

    def ec2(self, call: Call) -> Any:
        return get_backend("ec2")[call.account][call.region]

    def elbv2(self, call: Call) -> Any:
        return get_backend("elbv2")[call.account][call.region]

    def iam(self, call: Call) -> Any:
        return get_backend("iam")[call.account]["aws"]

    def instances(self, call: Call, ids: Sequence[str]) -> list[Any]:
        """The instances of these ids, as moto has them; what is not there is left out."""
        wanted = set(ids)
        made = (one for reservation in self.ec2(call).reservations.values() for one in reservation.instances)
        return [one for one in made if one.id in wanted]

    def object_size(self, call: Call, bucket: str, key: str) -> int | None:
        """The bytes of an object, None where there is none."""
        buckets = get_backend("s3")[call.account]["aws"].buckets
        found = buckets[bucket].keys.get(key) if bucket in buckets else None
        return int(found.size) if found is not None else None

    def new_id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}-0bed{self._made:013x}"

    def ask_moto(self, call: Call, **form: str) -> dict[str, Any]:
        """What another action of the same service answers."""
        other = Call(call.service, call.region, call.account, form["Action"], {}, dict(call.environ))
        self._set_form(other, {"Version": "2015-12-01", **form})
        return other.read(self._from_moto(other))

    def add_to_form(self, call: Call, **extra: str) -> None:
        """Adds parameters to a call, which is one with a form, before moto gets it."""
        raw = _body(call.environ)
        self._set_raw(call, raw + b"&" + urlencode(extra).encode())

    def _set_form(self, call: Call, form: Mapping[str, str]) -> None:
        self._set_raw(call, urlencode(form).encode())

    def _set_raw(self, call: Call, raw: bytes) -> None:
        assert isinstance(call.environ, dict)
        call.environ.update({"wsgi.input": io.BytesIO(raw), "CONTENT_LENGTH": str(len(raw))})
        for key in [key for key in call.environ if key.startswith("werkzeug.request")]:
            del call.environ[key]

    # one call

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raw = (
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            if not _chunked(environ)
            else (environ["wsgi.input"].read())
        )
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.update({"wsgi.input": io.BytesIO(raw), "CONTENT_LENGTH": str(len(raw))})
        try:
            answer = self._answered(environ)
        except _Cut:
            _cut(environ["werkzeug.socket"])
            raise ConnectionAbortedError from None
        except Exception:  # a fault of the bed shall not look like one of whoever calls it
            traceback.print_exc()
            raise
        if self.delay_s:
            time.sleep(self.delay_s)
        headers = [(name, value) for name, value in answer.headers.items() if name.lower() != "content-length"]
        start_response(f"{answer.status} -", [*headers, ("Content-Length", str(len(answer.body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answered(self, environ: dict[str, Any]) -> Answer:
        with self._lock:
            call = read_call(environ, get_account_id_from)
            environ["wsgi.input"].seek(0)
            fault = "timeout" if self.silent else self.faults.next(call)
            self.holds.pass_()
            if fault in BROKEN:
                self.records.append(Record(call, fault=str(fault)))
                raise _Cut
            if fault in ("lost", "stale", None):
                answer = self._stale(call) if fault == "stale" else None
                answer = answer or self._done(call)
            else:
                answer = error_of(fault, call)  # type: ignore[arg-type]
            body = answer.body if self.keeps_bodies else b""
            self.records.append(Record(call, answer.status, body, fault or ""))
            if fault == "lost":
                raise _Cut
            return answer

    def _stale(self, call: Call) -> Answer | None:
        return self._past.recall(call, self.now(), self.stale_s)

    def _done(self, call: Call) -> Answer:
        if self.plain:
            return self._from_moto(call)
        try:
            hidden = frozenset(self._hidden)
            if hidden:
                refuse_hidden(call, hidden)
            known = self.tokens.recall(call)
            if known is not None:
                return known
            for rule in BEFORE[call.name]:
                rule(self, call)
            answer = self._own(call) or self._from_moto(call)
            if answer.status < 300:
                answer = self._with_consequences(call, answer)
        except Refusal as err:
            return call.error(err.code, err.message, err.status)
        finally:
            if call.reads:
                self.holds.polled(call)
        if call.reads:
            self._past.keep(call, answer, self.now())
        return answer

    def _own(self, call: Call) -> Answer | None:
        rule = INSTEAD.get(call.name)
        result = rule(self, call) if rule is not None else None
        return None if result is None else call.result(result)

    def _from_moto(self, call: Call) -> Answer:
        status = "500"
        app = self._moto.get_application(dict(call.environ))
        call.environ["wsgi.input"].seek(0)
        try:
            body, status, headers = run_wsgi_app(app, dict(call.environ), buffered=True)
        except Exception as err:  # moto's own faults, such as what it has not implemented
            text = f"{type(err).__name__}: {err}"
            return call.error("InternalError", text, 500) if call.modelled else Answer(500, {}, text.encode())
        return Answer(int(str(status).split(" ")[0]), dict(headers.items()), b"".join(body))

    def _with_consequences(self, call: Call, answer: Answer) -> Answer:
        if call.service == "ec2" and call.modelled and not call.reads:
            answer = self._changed(call, answer)
        elif AFTER[call.name] or (self._hidden and call.service == "ec2" and call.modelled):
            result = call.read(answer)
            told = self._told(call, result)
            if self._hidden and call.service == "ec2":
                told = without(told if told is not None else result, frozenset(self._hidden))
            answer = answer if told is None else call.result(told)
        return answer

    def _changed(self, call: Call, answer: Answer) -> Answer:
        """An EC2 call that had an effect: what it made does not show yet, and its token is kept."""
        result = call.read(answer)
        told = self._told(call, result)
        answer = answer if told is None else call.result(told)
        new = set(ids_in(result)) - self._known - set(ids_in(dict(call.params)))
        self._known |= new
        if call.action.startswith(("Create", "Run", "Allocate", "Register", "Import", "Copy", "Authorize")):
            for id_ in new if self.unseen.takes_time else ():
                self._hide(call, id_)
        self.tokens.keep(call, answer, tuple(id_ for id_ in new if id_.startswith("i-")))
        return answer

    def _hide(self, call: Call, id_: str) -> None:
        self._hidden.add(id_)
        self.holds.begin(f"unseen {id_}", call, _seen_by(id_), self.unseen, lambda: self._hidden.discard(id_))

    def _told(self, call: Call, result: dict[str, Any]) -> Mapping[str, Any] | None:
        told: Mapping[str, Any] | None = None
        for rule in AFTER[call.name]:
            told = rule(self, call, result) or told
        return told


def _seen_by(id_: str) -> str:
    """The read that lists objects of an id."""
    return f"ec2:{_LISTS.get(id_.rpartition('-')[0], 'DescribeInstances')}"


_LISTS: Final = {
    "vpc": "DescribeVpcs",
    "subnet": "DescribeSubnets",
    "sg": "DescribeSecurityGroups",
    "sgr": "DescribeSecurityGroupRules",
    "igw": "DescribeInternetGateways",
    "rtb": "DescribeRouteTables",
    "nat": "DescribeNatGateways",
    "vol": "DescribeVolumes",
    "snap": "DescribeSnapshots",
    "ami": "DescribeImages",
    "eni": "DescribeNetworkInterfaces",
    "eipalloc": "DescribeAddresses",
    "pg": "DescribePlacementGroups",
    "import-snap": "DescribeImportSnapshotTasks",
}


@functools.cache
def _session() -> boto3.Session:
    """One for all clients, for each would load all models again."""
    return boto3.Session("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


class _Handler(MotoRequestHandler):
    """Says nothing of each request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  (the name of its base)
        pass


def _chunked(environ: Mapping[str, Any]) -> bool:
    return "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower()


def _body(environ: Mapping[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    stream.seek(0)
    raw: bytes = stream.read()
    stream.seek(0)
    return raw


def _cut(connection: socket.socket) -> None:
    """Resets the connection, so that whoever waits for the answer knows at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
