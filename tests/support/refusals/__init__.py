"""The table of bad configurations, by what is wrong: a system, a file as such, or the settings."""

from __future__ import annotations

from tests.support.refusals.files import FILE_CASES
from tests.support.refusals.settings import SETTINGS_CASES
from tests.support.refusals.systems import SYSTEM_CASES

CASES = SYSTEM_CASES + FILE_CASES + SETTINGS_CASES
"""Every bad configuration."""
