#!/usr/bin/env bash
# promql-parser 0.12.0 (PyPI; the Rust crate behind several PromQL tools) refuses two spellings that PromQL has:
# a raw string between backticks that holds a backslash, and digits grouped by underscores.
#
# Expected: in backticks a backslash is an ordinary character, so x{a=~`\d+`} is the usual way to write a regular
# expression without doubling it, and 1_000 is a number
# (https://prometheus.io/docs/prometheus/latest/querying/basics/#literals).
# Seen: "unknown escape sequence 'd'", and "bad number or duration syntax: 1_". The same texts pass the grammar that
# Prometheus' own query editor uses (@prometheus-io/lezer-promql 0.315.0, npm), and the first two pass promql-parser
# when they are written with double quotes and doubled backslashes.
# For users: rules that promtool takes are refused by a linter or a formatter built on this parser.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'promql-parser==0.12.0'
npm install --silent --no-audit --no-fund --prefix . '@prometheus-io/lezer-promql@0.315.0' '@lezer/lr@1.4.2' \
    '@lezer/common@1.2.3' '@lezer/highlight@1.2.1' >/dev/null

cat >queries.txt <<'QUERIES'
x{a=~`\d+`}
label_replace(x, "a", `$1`, "b", `(.*)\.example`)
x{a=`\`}
1_000
x{a=~"\\d+"}
x{a=`b`}
1000
QUERIES

cat >python.py <<'PYTHON'
import promql_parser

for query in open("queries.txt").read().splitlines():
    try:
        promql_parser.parse(query)
        print("takes  ", query)
    except ValueError as error:
        print("refuses", query, "|", str(error).splitlines()[0])
PYTHON

cat >editor.mjs <<'SCRIPT'
import { readFileSync } from "node:fs";
import { parser } from "@prometheus-io/lezer-promql";

for (const query of readFileSync("queries.txt", "utf8").trimEnd().split("\n")) {
  let wrong = false;
  parser.parse(query).iterate({ enter(node) { wrong ||= node.type.isError; } });
  console.log(wrong ? "refuses" : "takes  ", query);
}
SCRIPT

echo "promql-parser:"
env/bin/python python.py | tee python.out
echo "Prometheus' own editor grammar:"
node editor.mjs | tee editor.out

diff - python.out <<'WANTED'
refuses x{a=~`\d+`} | unknown escape sequence 'd'
refuses label_replace(x, "a", `$1`, "b", `(.*)\.example`) | unknown escape sequence '.'
refuses x{a=`\`} | unterminated quoted string `
refuses 1_000 | bad number or duration syntax: 1_
takes   x{a=~"\\d+"}
takes   x{a=`b`}
takes   1000
WANTED
[ "$(grep -c '^takes' editor.out)" = 7 ]
echo "unchanged"
