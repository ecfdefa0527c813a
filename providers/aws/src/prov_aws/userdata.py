"""User-data as EC2 takes it: gzip, and no more of it than fits. Talos opens it again."""

from __future__ import annotations

import gzip

from provisioner.sdk import Fatal, channel


def packed(text: str) -> bytes:
    """The text with gzip, the same bytes each time; raises Fatal where it does not fit."""
    data, way = gzip.compress(text.encode(), compresslevel=9, mtime=0), channel("aws")
    if not way.fits(data):
        raise Fatal(
            "the machine configuration does not fit into user-data",
            detail=f"it has {len(text.encode())} bytes, {len(data)} of them left after gzip; EC2 takes {way.limit}",
            remedy="make the patches smaller: large files and manifests can be fetched from a URL by the machine",
            effect=False,
        )
    return data
