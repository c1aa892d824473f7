"""Networks of a Docker engine that the stack cannot join."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from model.checks.targets import find_repeated
from model.errors import Problem
from model.places import locate_setting

if TYPE_CHECKING:
    from model.component import Planning

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
BUILT_IN = ("host", "none")
"""Networks of which a container can be in no other beside: https://docs.docker.com/engine/network/drivers/host/."""


def check_networks(context: Planning) -> list[Problem]:
    """External networks that no engine has, that are the stack's own, or that stand twice."""
    networks, own = context.settings.docker.external_networks, f"{context.stack}-monitoring"
    repeated = dict(find_repeated(networks))
    result = []
    for number, name in enumerate(networks):
        where = locate_setting(context.stack, f"docker.externalNetworks[{number}]")
        if not NAME.fullmatch(name):
            result.append(Problem(where, f"{name!r}: a network's name has letters, digits, dots, dashes, underscores"))
        elif name == own:
            result.append(Problem(where, f"{name!r} is the stack's own network; leave it out"))
        elif name in BUILT_IN:
            result.append(Problem(where, f"{name!r} cannot be joined beside another; name a network of your services"))
        elif number in repeated:
            result.append(Problem(where, f"{name!r} stands twice; leave one out"))
    return result
