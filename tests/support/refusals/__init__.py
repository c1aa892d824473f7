"""The table of bad configurations, by what is wrong: a system, a file as such, the settings, or all of it together."""

from __future__ import annotations

from tests.support.refusals.files import FILE_CASES
from tests.support.refusals.plain_secrets import PLAIN_SECRET_CASES
from tests.support.refusals.plans import PLAN_CASES
from tests.support.refusals.settings import SETTINGS_CASES
from tests.support.refusals.systems import SYSTEM_CASES
from tests.support.refusals.watching import WATCHING_CASES

CASES = SYSTEM_CASES + FILE_CASES + SETTINGS_CASES + PLAN_CASES + WATCHING_CASES + PLAIN_SECRET_CASES
"""Every bad configuration."""
