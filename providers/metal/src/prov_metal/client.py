"""What the kinds of one provider instance share: a wire per BMC, the media server, the image."""

from __future__ import annotations

import base64
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, field

from prov_metal.bmc.access import Access
from prov_metal.bmc.address import parse
from prov_metal.bmc.driver import Bmc
from prov_metal.bmc.drivers import driver
from prov_metal.deadlines import Watch
from prov_metal.kinds.props import HostProps
from prov_metal.media import with_config
from prov_metal.serve import MediaServer, token
from prov_metal.settings import MetalSettings
from provisioner.sdk import Context, Downloads, Finished, Secret, cache_folder


@define
class Client:
    """Opens nothing before it is needed."""

    settings: MetalSettings
    media: MediaServer = field(init=False)
    watch: Watch = field(init=False, factory=Watch)
    _bmcs: dict[Access, Bmc] = field(init=False, factory=dict)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        self.media = MediaServer(self.settings.serve)

    def bmc(self, props: Any) -> Bmc:
        """The BMC that a host's properties describe; another one for another user or password."""
        access = Access(
            parse(props.bmc),
            props.username or self.settings.username,
            props.password or self.settings.password or Secret(""),
            self.settings.ca,
            props.fingerprint,
            props.verify,
        )
        with self._lock:
            if access not in self._bmcs:
                self._bmcs[access] = driver(access)
            return self._bmcs[access]

    def disc(self, ctx: Context, host: str, config: str, place: str) -> str | None:
        """The URL of the host's disc, which is made once in a run; None while its image is on its way.

        `place` is where the image comes from, a URL or a file.
        """
        secret = token(config, host)
        if there := self.media.served(host, secret):
            return there
        image = self._image(ctx, place)
        return None if image is None else self.media.url(host, secret, lambda: with_config(image, config))

    def is_node(self, props: HostProps) -> bool:
        """Whether a node of the cluster answers at the host's address, and runs from its disk."""
        # Loaded here because gRPC takes its time, and only a host that is about to become a node needs it.
        from provisioner.talos.api.reader import runs_from_disk

        pair = (props.authority, str(props.authority_key.reveal()))
        ca, key = (base64.b64decode(text).decode() for text in pair)
        return runs_from_disk(props.address, ca, key, now=datetime.now(UTC))

    def _image(self, ctx: Context, place: str) -> Path | None:
        """The boot image on this computer; None while it is on its way."""
        if "://" not in place:
            return Path(place)
        fetch = Downloads(cache_folder(os.environ)).fetch
        task = ctx.task(f"fetch {place}", lambda: fetch(place))
        return task.value.path if isinstance(task, Finished) else None
