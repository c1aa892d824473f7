"""A browser without a screen: the machine's own Chromium, else Debian's, with the libraries and fonts that it needs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from toolchain.context import Context
from toolchain.host import find_program
from toolchain.recipes import CHROMIUM

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""What a Chromium is called where it is installed."""


@dataclass(frozen=True)
class BrowserProgram:
    """A Chromium: its path, and variables that it needs beside those of the caller."""

    path: Path
    environment: dict[str, str]

    def render(self) -> str:
        """Both as JSON, with the keys `program` and `environment`."""
        return json.dumps({"program": str(self.path), "environment": self.environment})


def ensure_browser(context: Context) -> BrowserProgram:
    """The machine's own browser, or Debian's, got if it is absent.

    Raises:
        ToolchainError: its packages cannot be had.
    """
    for name in NAMES:
        if found := find_program(name, context.environ, outside=context.cache.root):
            return BrowserProgram(found, {})
    return ensure_packaged_browser(context)


def ensure_packaged_browser(context: Context) -> BrowserProgram:
    """Debian's, whatever else is installed.

    Raises:
        ToolchainError: its packages cannot be had.
    """
    root = CHROMIUM.ensure(context) / "root"
    libraries = [folder for top in ("usr/lib", "lib") for folder in sorted((root / top).glob("*-linux-gnu"))]
    libraries += [folder / "pulseaudio" for folder in libraries if (folder / "pulseaudio").is_dir()]
    variables = {
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        "FONTCONFIG_PATH": str(root / "etc/fonts"),
    }
    return BrowserProgram(root / "usr/lib/chromium/chromium", variables)
