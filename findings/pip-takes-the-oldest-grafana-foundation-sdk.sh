#!/usr/bin/env bash
# `pip install grafana-foundation-sdk` takes the package for Grafana 10.1, the oldest that is supported, and no range of
# versions leads to the one for the newest Grafana.
#
# Expected: without a version the newest package of PyPI is the one for the newest Grafana.
# Seen: all packages of a release are versions of one project, and the second of their build is the epoch before the
# Grafana version: 1769699998!10.1.0, ..., 1769699379!11.6.0, the oldest Grafana last. The one for the newest Grafana
# is built first and has that second as its version, without an epoch: 1769699241. An epoch goes before everything else
# (https://packaging.python.org/en/latest/specifications/version-specifiers/#version-epochs), so 10.1.0 is the newest.
# What that means: the package for Grafana 10.1 does not know options of today's panels, and cannot read what it has
# written: from_json() raises a TypeError for a panel without options, which it writes as "options": null. The other one
# reads all that it writes.
# For users: name the version without an epoch, grafana-foundation-sdk==1769699241, and keep update robots away from it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >panels.py <<'PYTHON'
import json
import sys

from grafana_foundation_sdk.builders import dashboard, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

register_default_plugins()
for kind in (stat, table, timeseries):
    board = dashboard.Dashboard("sales").with_panel(kind.Panel().title("orders")).build()
    name = kind.__name__.rpartition(".")[2]
    try:
        Dashboard.from_json(json.loads(json.dumps(board, cls=JSONEncoder)))
        print(name, "is read back")
    except TypeError as error:
        print(name, "is not read back:", error)
print("wide layout of a stat:", hasattr(stat.Panel(), "wide_layout"))
PYTHON

try_version() {
    python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check "$2"
    echo "== $2: $("$1/bin/pip" show grafana-foundation-sdk | sed -n 's/^Version: //p')"
    "$1/bin/python" panels.py
}

# up to the release that is described here; without the upper bound it is the same with later seconds
{ try_version newest 'grafana-foundation-sdk<=1769699998!10.1.0'; try_version named 'grafana-foundation-sdk==1769699241'; } |
    tee seen
grep -A1 'generated for Grafana' newest/lib/python3*/site-packages/grafana_foundation_sdk-*.dist-info/METADATA | head -1

diff - seen <<'WANTED'
== grafana-foundation-sdk<=1769699998!10.1.0: 1769699998!10.1.0
stat is not read back: argument of type 'NoneType' is not iterable
table is not read back: argument of type 'NoneType' is not iterable
timeseries is not read back: argument of type 'NoneType' is not iterable
wide layout of a stat: False
== grafana-foundation-sdk==1769699241: 1769699241
stat is read back
table is read back
timeseries is read back
wide layout of a stat: True
WANTED
echo "unchanged"
