"""The tools, in the order in which they are listed."""

from __future__ import annotations

from mcp_server.tools.alerts import ALERT_TOOLS
from mcp_server.tools.base import Tool
from mcp_server.tools.capacity import CAPACITY_TOOLS
from mcp_server.tools.logs import LOG_TOOLS
from mcp_server.tools.objectives import OBJECTIVE_TOOLS
from mcp_server.tools.prometheus import PROMETHEUS_TOOLS
from mcp_server.tools.requests import REQUEST_TOOLS
from mcp_server.tools.services import SERVICE_TOOLS
from mcp_server.tools.traces import TRACE_TOOLS

TOOLS: tuple[Tool, ...] = (
    *PROMETHEUS_TOOLS,
    *SERVICE_TOOLS,
    *REQUEST_TOOLS,
    *LOG_TOOLS,
    *TRACE_TOOLS,
    *OBJECTIVE_TOOLS,
    *ALERT_TOOLS,
    *CAPACITY_TOOLS,
)

__all__ = ["TOOLS", "Tool"]
