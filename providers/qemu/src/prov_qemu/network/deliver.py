"""Hands a machine its configuration over HTTP: qemu runs this for each connection to the address of the server.

The request comes on standard input and the answer goes to standard output. So nothing listens on this computer, and
nobody but the machine itself can ask.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit


def answer(folder: Path, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers one request for a file of the folder."""
    words = requests.readline(4096).split()
    while requests.readline(4096).strip():
        pass
    name = Path(urlsplit(words[1].decode("ascii", "replace")).path).name if len(words) == 3 else ""
    path = folder / name
    found = path.read_bytes() if name and path.is_file() else None
    status = "200 OK" if found is not None else "404 Not Found"
    body = found or b""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    answers.write(head.encode())
    if words[:1] != [b"HEAD"]:
        answers.write(body)
    answers.flush()


if __name__ == "__main__":
    answer(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
