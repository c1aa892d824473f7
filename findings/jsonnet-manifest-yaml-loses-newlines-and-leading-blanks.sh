#!/usr/bin/env bash
# Jsonnet's std.manifestYamlDoc and std.manifestYamlStream write texts that end in a newline so that a YAML parser reads
# another text, or nothing: both implementations, jsonnet 0.22.0 and gojsonnet 0.22.0 (PyPI).
#
# Expected: the YAML of a value is read back as that value, as with std.manifestJson; that is what mixins and generated
# configurations rest on (https://jsonnet.org/ref/stdlib.html#std-manifestYamlDoc).
# Seen: a text with a newline at its end becomes a block after a bare `|`, without the marks for what a bare `|` loses:
# "\n" is read as "", "a\n\n" as "a\n", " a\n" as "a\n", "a\r\nb\n" as "a\nb\n", and where the first line is indented
# deeper than a later one the document is no YAML. Texts without a newline at their end are quoted, and right.
# For users: a delimiter "\n" in the configuration of a log agent becomes the empty text; message templates and examples
# taken by importstr lose an indented first line or the empty line at their end, or break the whole file of rules. Write
# JSON (std.manifestJsonEx) where a program reads YAML: each JSON document is one.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check jsonnet==0.22.0 gojsonnet==0.22.0 PyYAML==6.0.3

cat >round.py <<'PYTHON'
import json

import _gojsonnet
import _jsonnet
import yaml

TEXTS = ["a\nb", " a", "a\n", "\n", "a\n\n", " a\n", "a\r\nb\n", "  - a\n- b\n"]


def write(engine, function, text):
    value = {"text": text, "unit": "s"}
    argument = json.dumps([value] if function == "manifestYamlStream" else value)
    if function == "manifestJson":
        return json.loads(engine.evaluate_snippet("snippet", f"std.manifestJson({argument})"))
    return json.loads(engine.evaluate_snippet("snippet", f"std.{function}({argument})"))


def read(document):
    try:
        return json.dumps(yaml.safe_load(document)["text"])
    except yaml.YAMLError:
        return "no YAML"


for text in TEXTS:
    found = {
        read(write(engine, function, text))
        for engine in (_jsonnet, _gojsonnet)
        for function in ("manifestYamlDoc", "manifestYamlStream")
    }
    plain = {read(write(engine, "manifestJson", text)) for engine in (_jsonnet, _gojsonnet)}
    assert plain == {json.dumps(text)}, plain
    print(f"{json.dumps(text)} is read as {' or '.join(sorted(found))}")

example = {"delimiter": "\n", "template": "  {{ .Title }}\n\n"}
print(json.loads(_jsonnet.evaluate_snippet("snippet", f"std.manifestYamlDoc({json.dumps(example)})")))
PYTHON
venv/bin/python round.py | tee seen

head -n 8 seen | diff - <(cat <<'WANTED'
"a\nb" is read as "a\nb"
" a" is read as " a"
"a\n" is read as "a\n"
"\n" is read as ""
"a\n\n" is read as "a\n"
" a\n" is read as "a\n"
"a\r\nb\n" is read as "a\nb\n"
"  - a\n- b\n" is read as no YAML
WANTED
)
echo "unchanged"
