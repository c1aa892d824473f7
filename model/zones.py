"""Time zones by their names in the IANA database: https://www.iana.org/time-zones."""

from __future__ import annotations

from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from model.errors import suggest_name


@cache
def _list_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_zone(value: str) -> str:
    if (
        _list_zones() and value not in _list_zones()
    ):  # a machine without the zone database leaves this to the program that reads it
        raise ValueError(
            f"{value!r} is no time zone; {suggest_name(value, _list_zones()) if _is_near(value) else _EXAMPLES}"
        )
    return value


_EXAMPLES = "names look like Europe/Berlin, America/New_York or UTC"


def _is_near(value: str) -> bool:
    return suggest_name(value, _list_zones()).startswith("did you mean")


Zone = Annotated[str, Field(examples=["Europe/Berlin", "UTC"]), AfterValidator(_check_zone)]
"""The name of a zone in the IANA database."""
