"""The Kubernetes API of one control plane: version, health and nodes."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from prov_sim.machine import ports
from prov_sim.machine.certificates import Issued, load, server_context
from prov_sim.machine.etcd import Etcd
from prov_sim.machine.server import roles

_ADMINISTRATORS: Final = "system:masters"
_HEALTH: Final = ("/healthz", "/livez", "/readyz")


class KubernetesApi:
    """Listens on a control plane's address and answers from the etcd beside it."""

    def __init__(self, address: str, etcd: Etcd, version: Callable[[], str]) -> None:
        self._address = address
        self._etcd = etcd
        self._version = version
        self._runner: web.AppRunner | None = None
        self._context: ssl.SSLContext | None = None

    async def open(self, issued: Issued) -> None:
        """Raises OSError when the port is taken."""
        app = web.Application(middlewares=[_authorize])
        for path in _HEALTH:
            app.router.add_get(path, self._health)
        for path in ("/version", "/version/"):
            app.router.add_get(path, self._show_version)
        app.router.add_get("/api", _api_versions)
        app.router.add_get("/apis", _api_groups)
        app.router.add_get("/api/v1", _core_resources)
        app.router.add_get("/api/v1/nodes", self._with_etcd(self._list_nodes))
        app.router.add_get("/api/v1/nodes/{name}", self._with_etcd(self._get_node))
        app.router.add_delete("/api/v1/nodes/{name}", self._with_etcd(self._delete_node))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handle_signals=False)
        await runner.setup()
        self._context = server_context(issued, required=False, protocols=("http/1.1",))
        await web.TCPSite(runner, self._address, ports.KUBERNETES, ssl_context=self._context).start()
        self._runner = runner

    def renew(self, issued: Issued) -> None:
        """Presents another certificate from the next handshake on."""
        if self._context is not None:
            load(self._context, issued)

    async def close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _with_etcd(
        self, handler: Callable[[web.Request], web.Response]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            if not self._etcd.healthy:
                return _status(500, "InternalError", "etcdserver: request timed out")
            return handler(request)

        return handle

    async def _health(self, request: web.Request) -> web.Response:
        if self._etcd.healthy or request.path == "/livez":
            return web.Response(text="ok")
        return web.Response(status=500, text="[-]etcd failed: reason withheld")

    async def _show_version(self, request: web.Request) -> web.Response:
        version = self._version()
        major, minor, *_ = version.lstrip("v").split(".")
        return web.json_response(
            {
                "major": major,
                "minor": minor,
                "gitVersion": version,
                "gitCommit": "",
                "gitTreeState": "clean",
                "buildDate": "",
                "goVersion": "",
                "compiler": "gc",
                "platform": "linux/amd64",
            }
        )

    def _list_nodes(self, request: web.Request) -> web.Response:
        items = [node.manifest() for _, node in sorted(self._etcd.nodes.items())]
        newest = max((node.version for node in self._etcd.nodes.values()), default=1)
        return web.json_response(
            {"apiVersion": "v1", "kind": "NodeList", "metadata": {"resourceVersion": str(newest)}, "items": items}
        )

    def _get_node(self, request: web.Request) -> web.Response:
        node = self._etcd.nodes.get(request.match_info["name"])
        return _no_node(request) if node is None else web.json_response(node.manifest())

    def _delete_node(self, request: web.Request) -> web.Response:
        node = self._etcd.nodes.pop(request.match_info["name"], None)
        if node is None:
            return _no_node(request)
        details = {"name": node.facts.name, "kind": "nodes", "uid": node.uid}
        return web.json_response(
            {"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success", "details": details}
        )


@web.middleware
async def _authorize(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    certificate = request.transport.get_extra_info("peercert") if request.transport is not None else None
    if not certificate:
        return _status(401, "Unauthorized", "Unauthorized")
    if _ADMINISTRATORS not in roles(certificate):
        return _status(403, "Forbidden", "forbidden: the certificate is not one of system:masters")
    try:
        return await handler(request)
    except web.HTTPException as err:
        return _status(err.status, err.reason.replace(" ", ""), "the server could not find the requested resource")


async def _api_versions(request: web.Request) -> web.Response:
    return web.json_response({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})


async def _api_groups(request: web.Request) -> web.Response:
    return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})


async def _core_resources(request: web.Request) -> web.Response:
    nodes = {
        "name": "nodes",
        "singularName": "node",
        "namespaced": False,
        "kind": "Node",
        "verbs": ["delete", "get", "list"],
        "shortNames": ["no"],
    }
    return web.json_response({"kind": "APIResourceList", "groupVersion": "v1", "resources": [nodes]})


def _no_node(request: web.Request) -> web.Response:
    return _status(404, "NotFound", f'nodes "{request.match_info["name"]}" not found')


def _status(code: int, reason: str, message: str) -> web.Response:
    return web.json_response(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        },
        status=code,
    )
