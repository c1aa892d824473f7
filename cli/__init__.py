"""The commands behind the Makefile: bring a stack up, look at it, take it down, and recover what was interrupted."""

import os

# none is used, and to look for one the metadata of every installed distribution is read at each start
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
