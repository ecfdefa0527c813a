"""The one event loop behind all asynchronous work of Talos, in a thread of its own.

Kinds are plain functions in many threads; gRPC is asynchronous. `run` is the bridge.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An event loop that runs until the process ends."""

    def __init__(self) -> None:
        # asyncio reports lost connections to standard error, amid our output; the callers hear of them as errors.
        logging.getLogger("asyncio").addHandler(logging.NullHandler())
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="talos-api", daemon=True)
        thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` to its end; the calling thread waits. Interrupting the thread cancels the work."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


@functools.cache
def shared_loop() -> Loop:
    """The process's loop, started at the first use."""
    return Loop()
