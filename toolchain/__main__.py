"""The toolchain's command line: python -m toolchain <command>."""

from __future__ import annotations

import sys

from toolchain.errors import ToolchainError
from toolchain.run import end_all_commands


def main() -> int:
    """Run one command; a failure is printed in words and ends with status 1."""
    try:
        # a broken configs/images.yaml is an error of the import already: recipes take their versions from it
        from toolchain import commands  # noqa: PLC0415

        return commands.run_cli()
    except ToolchainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        end_all_commands()
        print("interrupted; what is finished is kept, run it again to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
