"""One call of an AWS API as it arrives, and answers in the form that its service writes them in.

Requests are read, and answers written, by the service models that come with botocore: what the bed says has the
shape that the real service would give it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.parsers
import botocore.session
from attrs import field, frozen
from botocore.exceptions import UnknownServiceError
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import BackendRequest
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

_SERVICES = {"elasticloadbalancing": "elbv2"}
"""Names in signatures that differ from those of the service models."""
_QUERY = ("ec2", "elbv2", "iam", "sts", "autoscaling", "cloudwatch")
_SCOPE = re.compile(r"Credential=([^/,]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_session = botocore.session.get_session()


@frozen
class Answer:
    """What goes back over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@frozen
class Call:
    """A call: to which service and region, by which account, and with what. `params` are as boto3 takes them."""

    service: str
    region: str
    account: str
    action: str
    params: Mapping[str, Any] = field(factory=dict)
    environ: Mapping[str, Any] = field(factory=dict)

    @property
    def name(self) -> str:
        """Such as `ec2:RunInstances`."""
        return f"{self.service}:{self.action}"

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.action.startswith(("Describe", "Get", "List", "Head", "Search"))

    @property
    def modelled(self) -> bool:
        """Whether the service's model knows the action, so that answers can be read and written."""
        return (
            self.service in _session.get_available_services() and self.action in _model(self.service).operation_names
        )

    def result(self, result: Mapping[str, Any]) -> Answer:
        """A result, in the service's form."""
        service = get_service_model(self.service)
        operation = service.operation_model(self.action)
        serializer = get_serializer_class(service.service_name, service.metadata["protocol"])(operation)
        written = serializer.serialize(result)
        body = written["body"]
        raw = body.encode() if isinstance(body, str) else body
        return Answer(int(written["status_code"]), {**written["headers"]}, raw)

    def error(self, code: str, message: str, status: int = 400) -> Answer:
        """An error, in the service's form."""
        protocol = _model(self.service).resolved_protocol if self.service else "query"
        form = _ERRORS.get("s3" if self.service == "s3" else protocol)
        if form is None:
            body = json.dumps({"__type": code, "code": code, "message": message}).encode()
            return Answer(status, {"Content-Type": "application/json", "x-amzn-errortype": code}, body)
        text = form.format(code=escape(code), message=escape(message), type="Sender" if status < 500 else "Receiver")
        return Answer(status, {"Content-Type": "text/xml"}, text.encode())

    def read(self, answer: Answer) -> dict[str, Any]:
        """What an answer says, as boto3 would give it."""
        parser = botocore.parsers.create_parser(_model(self.service).resolved_protocol)
        output = _model(self.service).operation_model(self.action).output_shape
        response = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body, "context": {}}
        parsed: dict[str, Any] = parser.parse(response, output)
        parsed.pop("ResponseMetadata", None)
        return parsed


_QUERY_ERROR = (
    "<ErrorResponse><Error><Type>{type}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>bed</RequestId></ErrorResponse>"
)
_ERRORS = {
    "ec2": "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>bed</RequestID></Response>",
    "query": _QUERY_ERROR,
    "rest-xml": _QUERY_ERROR,
    "s3": "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>bed</RequestId></Error>",
}
"""How errors are told, by protocol; where there is no form they are JSON."""


def read_call(environ: dict[str, Any], account_of: Callable[[str], str]) -> Call:
    """The call in a WSGI request, whose body can be read again afterwards."""
    request = BackendRequest(environ)
    key, region, signed = _scope(request.headers.get("Authorization", ""))
    service = _SERVICES.get(signed, signed)
    form = request.get_data(cache=True, parse_form_data=False)
    action, params = _action(request, service, form.decode("utf-8", "replace"))
    if not signed and action.startswith("AssumeRole"):
        service = "sts"
    return Call(service, region, account_of(key), action, params, environ)


def _scope(authorization: str) -> tuple[str, str, str]:
    found = _SCOPE.search(authorization)
    return (found[1], found[2], found[3]) if found else ("", "us-east-1", "")


def _action(request: BackendRequest, service: str, form: str) -> tuple[str, Mapping[str, Any]]:
    """The action with its parameters; those of services that are not looked into are left out."""
    target = request.headers.get("X-Amz-Target", "")
    if target:
        return target.rpartition(".")[2], {}
    if service in _QUERY or form.startswith("Action="):
        return _query(service or "sts", form)
    return _rest(request, service, form)


def _query(service: str, form: str) -> tuple[str, Mapping[str, Any]]:
    values = MultiDict(parse_qsl(form, keep_blank_values=True))
    action = values.get("Action", "")
    model = get_service_model(service)
    if action not in model.operation_names:
        return action, {}
    parser = PROTOCOL_PARSERS[model.metadata["protocol"]](model.operation_model(action))
    return action, parser.parse({"values": values, "body": form, "headers": {}, "method": "POST"})


def _rest(request: BackendRequest, service: str, body: str) -> tuple[str, Mapping[str, Any]]:
    """The action by method and path; parameters of Route 53 only, for bodies elsewhere are data."""
    try:
        operation, found = get_service_router(service).match(request)
    except (NotFound, NotImplementedError, UnknownServiceError):
        return f"{request.method} {request.path}", {}
    if service != "route53":
        return str(operation.name), {}
    parser = PROTOCOL_PARSERS["rest-xml"](operation)
    asked = {"values": request.args, "body": body, "headers": request.headers, "method": request.method}
    return str(operation.name), parser.parse({**asked, "url_path": request.path, "url_params": found})


def _model(service: str) -> Any:
    return _session.get_service_model(service)
