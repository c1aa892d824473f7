"""Time zones have the names of the IANA database."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from model.zones import Zone


def test_a_zone_has_its_name() -> None:
    """An abbreviation or a misspelt name is refused with one that is right."""
    zone = TypeAdapter(Zone)
    assert zone.validate_python("Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(ValidationError, match="no time zone; did you mean 'Europe/Berlin'"):
        zone.validate_python("Europe/Berlim")
    with pytest.raises(ValidationError, match="names look like Europe/Berlin"):
        zone.validate_python("xyz")
