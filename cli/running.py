"""A stack that runs, for the commands that look at it."""

from __future__ import annotations

from cli import engine
from cli.hosts import Host, open_host
from cli.render import plan_workspace
from cli.stack_file import build_location, read_settings
from cli.workspace import Workspace, open_workspace
from model.plan import Plan


def open_running(stack: str) -> tuple[Workspace, Plan, Host]:
    """The stack's workspace, its plan with its secrets, and the engine or cluster where it is.

    Raises:
        ConfigError: something in its files is wrong.
        SystemExit: the engine or the cluster does not answer.
    """
    space = open_workspace(stack, engine.build_tool_env())
    location = build_location(read_settings(space.directory, stack))
    return space, plan_workspace(space), open_host(stack, location)
