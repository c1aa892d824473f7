#!/usr/bin/env bash
# go.yaml.in/yaml/v3 3.0.6 reads 2026-01-02 15:04:05,678 (a comma before the fraction) as a date; PyYAML 6.0.3 as a text.
#
# Expected: a YAML library that writes a text without quotes and another that reads it agree that it is a text: the
# timestamp of YAML 1.1 has a dot before the fraction (https://yaml.org/type/timestamp.html), and PyYAML, whose resolver
# is written after it, leaves quotes away with a comma.
# Seen: Go's library tries its date layouts by time.Parse, which takes a comma for the dot since Go 1.17, so the plain
# scalar becomes a time.Time. With a dot PyYAML quotes the text, and both agree.
# For users: this is how Python's logging writes times, so layouts and examples of log lines look like it. A program in
# Go that reads its configuration as typed values, such as the OpenTelemetry Collector, refuses the document ("expected
# type 'string', got unconvertible type 'time.Time'"), or takes another value than was written.
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyYAML==6.0.3
cat >go.mod <<'MOD'
module example.com/read

go 1.24.0

require go.yaml.in/yaml/v3 v3.0.6
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

func main() {
	text, _ := io.ReadAll(os.Stdin)
	var values []any
	if err := yaml.Unmarshal(text, &values); err != nil {
		panic(err)
	}
	for _, value := range values {
		fmt.Printf("%T\n", value)
	}
}
GO
GOFLAGS=-mod=mod go build -o read . 2>/dev/null

venv/bin/python - >texts.yaml <<'PYTHON'
import yaml

texts = ["2026-01-02 15:04:05,678", "2026-01-02 15:04:05.678"]
written = yaml.safe_dump(texts)
assert yaml.safe_load(written) == texts
print(written, end="")
PYTHON
cat texts.yaml
./read <texts.yaml | tee types.txt
[ "$(head -1 texts.yaml)" = "- 2026-01-02 15:04:05,678" ] # without quotes
[ "$(tr '\n' ' ' <types.txt)" = "time.Time string " ]
echo "PyYAML 6.0.3 wrote a text, go.yaml.in/yaml/v3 3.0.6 read a date"
