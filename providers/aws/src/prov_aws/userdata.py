"""User-data as EC2 takes it: gzip, and no more than 16 KB of it.

Talos opens it again. EC2 counts bytes before base64:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
"""

from __future__ import annotations

import gzip

from provisioner.sdk import Fatal

LIMIT = 16384
"""Bytes."""


def packed(text: str) -> bytes:
    """The text with gzip, the same bytes each time; raises Fatal where it does not fit."""
    data = gzip.compress(text.encode(), compresslevel=9, mtime=0)
    if len(data) > LIMIT:
        raise Fatal(
            "the machine configuration does not fit into user-data",
            detail=f"it has {len(text.encode())} bytes, {len(data)} of them left after gzip; EC2 takes {LIMIT}",
            remedy="make the patches smaller: large files and manifests can be fetched from a URL by the machine",
            effect=False,
        )
    return data
