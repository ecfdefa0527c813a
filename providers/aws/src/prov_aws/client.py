"""The only module that talks to AWS: one session per account, clients made when first needed and shared by threads.

botocore's own retries are off. What is throttled or fails comes back at once as an error of the house, and the engine
decides when to call again: for all calls to the region, not for each call by itself.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import define, field

from prov_aws.errors import no_credentials, no_region, no_such_region, translated, unusable
from prov_aws.settings import AwsSettings
from provisioner.sdk import EndpointDown, ProviderError, did_you_mean

CONNECT_S, ANSWER_S = 5, 30
"""How long a connection and an answer may take, in seconds."""
THREADS = 32
"""How many calls the engine makes at a time; as many connections are kept."""
_IMDS = "iam-role"
"""What botocore calls the credentials that an instance gets from its metadata service."""


@define
class Aws:
    """A connection to one account and region. Safe to use from several threads."""

    settings: AwsSettings
    asked: set[str] = field(factory=set)
    """Keys of objects that this process has put on record as asked for, and not asked for yet."""
    made: set[str] = field(factory=set)
    """Keys of objects that this process has asked for."""
    listed: dict[str, Mapping[str, Any]] = field(factory=dict)
    """What reading found last of objects that are at work, by key; whoever is called next takes it out."""
    born: dict[str, datetime] = field(factory=dict)
    """Ids of objects that this process has made, and when: AWS may not know them everywhere yet."""
    doubts: dict[str, datetime] = field(factory=dict)
    """Keys of objects for which a call got no answer, and when: it may have had its effect."""
    sent: dict[str, set[int]] = field(factory=dict)
    """Blocks that have arrived, by snapshot."""
    progress: dict[str, list[float]] = field(factory=dict)
    """How much of a disk image has been sent, from 0 to 1, by snapshot."""
    _turn: str = ""
    """The key of the machine whose type is changed."""
    _guard: threading.RLock = field(factory=threading.RLock)
    _clients: dict[str, Any] = field(factory=dict)
    _session: Any = None

    @property
    def region(self) -> str:
        """The region of all calls, such as `eu-west-1`."""
        return str(self._client("ec2").meta.region_name)

    @property
    def partition(self) -> tuple[str, str]:
        """The name of the region's partition, as in ARNs, and the end of its names, such as `amazonaws.com`."""
        name = str(self._client("ec2").meta.partition)
        return name, "amazonaws.com.cn" if name == "aws-cn" else "amazonaws.com"

    def known(self, service: str, shape: str) -> Sequence[str]:
        """The values that botocore knows for a shape of a service, such as all types of machines."""
        return tuple(self._client(service).meta.service_model.shape_for(shape).enum)

    def call(self, service: str, operation: str, **arguments: Any) -> Any:
        """One call, such as `call("ec2", "describe_vpcs")`; raises errors of the house."""
        client = self._client(service)
        try:
            return getattr(client, operation)(**arguments)
        except ProviderError:
            raise
        except Exception as err:
            raise self._translated(err, service, client.meta.method_to_api_mapping[operation]) from None

    def pages(self, service: str, operation: str, result: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """The items of all pages of a listing; a call for each page."""
        client = self._client(service)
        if not client.can_paginate(operation):
            yield from self.call(service, operation, **arguments).get(result, ())
            return
        try:
            for page in client.get_paginator(operation).paginate(**arguments):
                yield from page.get(result) or ()
        except ProviderError:
            raise
        except Exception as err:
            raise self._translated(err, service, client.meta.method_to_api_mapping[operation]) from None

    def take_turn(self, key: str) -> bool:
        """Gives the turn of changing its type to a machine, unless another one has it."""
        with self._guard:
            self._turn = self._turn or key
            return self._turn == key

    def has_turn(self, key: str) -> bool:
        """Whether it is this machine's turn."""
        return self._turn == key

    def end_turn(self, key: str) -> None:
        """The next machine may change its type; quiet where it was not this one's turn."""
        with self._guard:
            self._turn = "" if self._turn == key else self._turn

    def _translated(self, err: Exception, service: str, operation: str) -> ProviderError:
        """The error of the house; one that does not answer may be a region that does not exist."""
        found = translated(err, service, operation)
        region = self.region
        if not isinstance(found, EndpointDown) or self._endpoint(service) or region in _regions():
            return found
        return no_such_region(f"{region}: {found.detail}", did_you_mean(region, _regions()))

    def _client(self, service: str) -> Any:
        client = self._clients.get(service)
        if client is not None:
            return client
        with self._guard:
            if service not in self._clients:
                self._clients[service] = self._connected(service)
            return self._clients[service]

    def _connected(self, service: str) -> Any:
        from botocore.config import Config  # heavy

        session = self._session = self._session or _session(self.settings)
        config = Config(
            connect_timeout=CONNECT_S,
            read_timeout=ANSWER_S,
            max_pool_connections=THREADS,
            retries={"mode": "standard", "total_max_attempts": 1},
            s3={"addressing_style": "path"} if self._endpoint(service) else None,
            user_agent_extra="prov",
        )
        try:
            return session.create_client(service, endpoint_url=self._endpoint(service) or None, config=config)
        except Exception as err:
            raise translated(err, service, "CreateClient") from None

    def _endpoint(self, service: str) -> str:
        return str(self.settings.endpoints.get(service) or self.settings.endpoint_url)


def _session(settings: AwsSettings) -> Any:
    """A session with credentials and a region; raises OperatorNeeded where one of them is missing."""
    from botocore.exceptions import BotoCoreError  # heavy

    # At debug level botocore writes down whole requests, user-data among them.
    logging.getLogger("botocore").setLevel(logging.INFO)
    session = _fresh(settings.profile)
    try:
        if settings.region:
            session.set_config_variable("region", settings.region)
        if not settings.instance_role:
            session.get_component("credential_provider").remove(_IMDS)
        credentials = session.get_credentials()
        region = session.get_config_variable("region")
    except BotoCoreError as err:
        raise unusable(err) from None
    if credentials is None:
        raise no_credentials("nothing in the environment, in the profiles, or on this machine")
    if not region:
        raise no_region()
    return _as_role(session, settings) if settings.role_arn else session


def _fresh(profile: str) -> Any:
    """A session; what botocore knows of the services is read once for all of them, for that takes its time."""
    import botocore.session

    session = botocore.session.Session(profile=profile or None)
    session.register_component("data_loader", _loader())
    return session


@functools.cache
def _loader() -> Any:
    import botocore.loaders

    return botocore.loaders.create_loader()


@functools.cache
def _regions() -> frozenset[str]:
    """The regions that botocore knows, of all partitions; there may be newer ones."""
    import botocore.session

    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    partitions = session.get_available_partitions()
    return frozenset(name for one in partitions for name in session.get_available_regions("ec2", one))


def _as_role(session: Any, settings: AwsSettings) -> Any:
    """A session that acts as the role of the settings; the role is assumed with the first call, and again in time."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    def client(service: str, **arguments: Any) -> Any:
        endpoint = settings.endpoints.get(service) or settings.endpoint_url
        arguments["region_name"] = arguments.get("region_name") or session.get_config_variable("region")
        return session.create_client(service, endpoint_url=endpoint or None, **arguments)

    role = settings.role
    more = {"ExternalId": role["external_id"]} if role.get("external_id") else {}
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=client,
        source_credentials=session.get_credentials(),
        role_arn=settings.role_arn,
        extra_args={"RoleSessionName": role.get("session_name") or "prov", **more},
    )
    acting = _fresh(settings.profile)
    acting.set_config_variable("region", session.get_config_variable("region"))
    acting._credentials = DeferredRefreshableCredentials(
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    return acting
