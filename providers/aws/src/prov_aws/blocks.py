"""Sending a disk image to a snapshot, block by block; blocks of zeros are left out.

Talos's image for AWS is 8 GiB, of which a few hundred MiB are not zero. A block may be sent again, so whoever is cut
off begins anew with the same snapshot.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen

from prov_aws.client import Aws

SIZE = 524288
"""Bytes of a block, as the EBS direct APIs have it."""
_AT_ONCE = 8
_ZEROS = bytes(SIZE)


@frozen
class Sending:
    """One image on its way into one snapshot; `sent` are the blocks of which this process knows that they arrived."""

    aws: Aws
    snapshot: str
    path: Path
    sent: set[int]

    def all(self, tell: Callable[[float], None]) -> int:
        """Sends what has not arrived; gives how many blocks there are. `tell` hears the part that is done."""
        total = self.path.stat().st_size
        count = 0
        with ThreadPoolExecutor(_AT_ONCE, "blocks") as pool:
            for batch in _batches(self._blocks()):
                for index in pool.map(self._send, batch):
                    self.sent.add(index)
                count += len(batch)
                tell(min(1.0, (batch[-1][0] + 1) * SIZE / total))
        return count

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as image:
            index = 0
            while data := image.read(SIZE):
                data = data.ljust(SIZE, b"\0")
                if data != _ZEROS:
                    yield index, data
                index += 1

    def _send(self, block: tuple[int, bytes]) -> int:
        index, data = block
        if index not in self.sent:
            self.aws.call(
                "ebs",
                "put_snapshot_block",
                SnapshotId=self.snapshot,
                BlockIndex=index,
                BlockData=data,
                DataLength=SIZE,
                Checksum=base64.b64encode(hashlib.sha256(data).digest()).decode(),
                ChecksumAlgorithm="SHA256",
            )
        return index


def _batches(blocks: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    for block in blocks:
        batch.append(block)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
