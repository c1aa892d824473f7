"""Asks each address for orders, some a second, each with a trace id of its own: python3 load.py URL..."""

from __future__ import annotations

import contextlib
import random
import sys
import threading
import time
import urllib.request


def ask(url: str) -> None:
    """Requests to one service, two a second, until the process ends; what it answers is its own business."""
    while True:
        trace = f"{random.getrandbits(128):032x}"
        request = urllib.request.Request(f"{url}/orders/{random.randint(1, 99)}", headers={"X-Trace-Id": trace})
        with contextlib.suppress(OSError):
            urllib.request.urlopen(request, timeout=10).read()
        time.sleep(0.5)


for each in sys.argv[1:] * 4:
    threading.Thread(target=ask, args=(each,)).start()
