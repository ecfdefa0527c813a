"""Kernel arguments as a line of text. Pure."""

from __future__ import annotations

import re

CONFIG = "talos.config"
"""Where Talos finds its configuration. Of several it takes the first, so there must be one only."""

_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')


def joined(old: str, new: str) -> str:
    """The old arguments without any that tells where the configuration is, and behind them the new ones."""
    kept = [word for word in _WORD.findall(old) if word.partition("=")[0] != CONFIG]
    return " ".join([*kept, *_WORD.findall(new)])
