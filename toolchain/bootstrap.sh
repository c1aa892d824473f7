#!/bin/sh
# Prints the path of a usable uv: the one on PATH, else one installed from PyPI, with pinned hashes, into the cache.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

if command -v uv >/dev/null 2>&1; then
    command -v uv
    exit 0
fi

cache=${OBSERVABILITY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/observability}
wanted=$(sha256sum "$here/pypi/uv.txt" | cut -c1-16)
home=$cache/artefacts/uv-$wanted
if [ -x "$home/bin/uv" ]; then
    echo "$home/bin/uv"
    exit 0
fi

die() {
    echo "bootstrap: $1" >&2
    echo "  what to do: $2" >&2
    exit 1
}
command -v python3 >/dev/null 2>&1 ||
    die "python3 is not installed" "install Python 3.11 or newer (Debian, Ubuntu: apt-get install python3 python3-venv)"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "python3 is older than 3.11: $(python3 --version 2>&1)" "install Python 3.11 or newer, or uv itself, and run this again"
python3 -c 'import ensurepip, venv' 2>/dev/null ||
    die "python3 cannot make virtual environments" "install its venv module (Debian, Ubuntu: apt-get install python3-venv), or uv itself"

echo "bootstrap: installing uv into $home" >&2
mkdir -p "$cache/artefacts"
draft=$cache/artefacts/.draft-uv-$wanted-$$
trap 'rm -rf "$draft"' EXIT
python3 -m venv "$draft" >&2
"$draft/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$here/pypi/uv.txt" >&2 ||
    die "pip could not install uv" "check that the Python package index is reachable (PIP_INDEX_URL, proxy settings), or install uv yourself"
# uv is one static program: it runs wherever it lies, so only it is kept.
mkdir -p "$draft/only/bin"
cp "$draft/bin/uv" "$draft/only/bin/uv"
mv "$draft/only" "$home" 2>/dev/null || [ -x "$home/bin/uv" ] || die "cannot write $home" "check its directory's owner and free space"
echo "$home/bin/uv"
