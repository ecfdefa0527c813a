"""What goes into the image, and what of it is left out."""

from __future__ import annotations

import re


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PACKAGES = _words("""
    systemd-boot-efi python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libssl3 zlib1g
    libexpat1 libffi8 libgcc-s1 libstdc++6
    """)
"""Debian packages it is taken from, beside the kernel."""

WHEELS = _words("""
    aiohappyeyeballs aiohttp aiosignal attrs cffi cryptography frozenlist grpclib h2 hpack hyperframe idna
    multidict propcache protobuf PyYAML typing_extensions yarl
    """)
"""Python distributions; their versions are in constraints.txt."""

MODULES = _words("""
    virtio_pci virtio_net virtio_blk virtio_scsi virtio_rng sd_mod sr_mod ata_piix isofs vfat nls_cp437
    nls_ascii nls_utf8 af_packet
    """)
"""Kernel modules, loaded at boot with what they need; one that is missing is built in."""

UNUSED_STDLIB = re.compile(
    r"^(__phello__|_pydecimal|antigravity|asynchat|asyncore|bdb|cProfile|cgi|cgitb|code|codeop|config-3|ctypes/macholib"
    r"|ctypes/test|curses|dbm|distutils|doctest|email/architecture|ensurepip|ftplib|idlelib|imaplib|lib2to3|mailbox"
    r"|mailcap|msilib|nntplib|optparse|pdb|pickletools|poplib|profile|pstats|pty|pydoc|rlcompleter|smtp|sqlite3"
    r"|telnetlib|test|this|tkinter|tty|turtle|unittest|venv|webbrowser|wsgiref|xdrlib|xml|xmlrpc|zipapp)"
)
UNUSED_EXTENSIONS = re.compile(
    r"^(_bz2|_codecs_(cn|hk|iso2022|jp|kr|tw)|_crypt|_ctypes_test|_curses|_dbm|_decimal|_gdbm|_lzma|_msi|_sqlite3|_test"
    r"|_tkinter|_uuid|_xx|audioop|nis|ossaudiodev|readline|xx)"
)
UNUSED_IN_WHEELS = re.compile(r"(\.pyi|\.pyx|\.pxd|\.c|\.h|\.proto|\.typed)$|/tests?/|\.dist-info/|^cffi/")
OWN = {
    "provisioner": ("__init__.py", "talos/__init__.py", "talos/api/__init__.py", "talos/api/_wire/*.py"),
    "providers/sim/src/prov_sim": ("__init__.py", "changes.py", "faults.py", "pace.py", "machine/*.py"),
    "images/stand-in/src/prov_standin": ("*.py",),
}
"""What of this project is in it: the machine, the messages it speaks, and the first process."""
