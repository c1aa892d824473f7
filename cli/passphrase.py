"""Why Pulumi could not decrypt what a stack has, in words that say where the passphrase was looked for."""

from __future__ import annotations

import re
from collections.abc import Mapping

VALUE, FILE = "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"
"""Variables in which Pulumi looks for it, in this order: https://www.pulumi.com/docs/iac/cli/environment-variables/."""
_WRONG = re.compile(r"incorrect passphrase")
_ABSENT = re.compile(rf"passphrase must be set|unable to read {FILE}")
READ = ("stack", "export", "--show-secrets")
"""A command that changes nothing, and fails where the passphrase is not the right one."""


def explain_failure(words: str, env: Mapping[str, str]) -> str:
    """What was wrong with the passphrase and what to do, where Pulumi's words are about that; empty where not.

    `env` is the environment in which Pulumi ran.
    """
    if _WRONG.search(words):
        what = f"the passphrase {_describe_place(env)} is not the one that the stack's secrets are encrypted with"
    elif _ABSENT.search(words):
        what = f"the stack's secrets are encrypted with a passphrase, and there is none {_describe_place(env)}"
    else:
        return ""
    return (
        f"{what}. Set {FILE} to a file with the passphrase by which the stack was made, or {VALUE} to that itself;"
        " where nobody has it any more: docs/state.md, A passphrase that is lost"
    )


def _describe_place(env: Mapping[str, str]) -> str:
    if VALUE in env:
        return f"in the variable {VALUE}" + ("" if env[VALUE] else ", which is set and empty,")
    if env.get(FILE):
        return f"in the file {env[FILE]} ({FILE})"
    return f"in {VALUE} or {FILE}, which are not set"
