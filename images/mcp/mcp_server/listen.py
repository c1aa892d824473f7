"""Where the server listens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Listen:
    """Where the server listens; port 0 takes any free one."""

    host: str = "0.0.0.0"  # noqa: S104 - a container's network; the engine decides who reaches it
    port: int = 8000
    metrics_port: int = 8001
