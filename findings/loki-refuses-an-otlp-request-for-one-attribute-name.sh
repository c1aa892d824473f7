#!/usr/bin/env bash
# Loki 3.7.8 refuses a whole OTLP request, with the records of all services in it, for the name of one attribute: one
# that has no ASCII letter or digit, such as a word in Chinese.
#
# Expected: names of attributes are any text (https://opentelemetry.io/docs/specs/otel/common/#attribute), and Loki
# renames what is no label name: each other character becomes an underscore. So this one is stored under some name, or is
# dropped, or at worst its record is.
# Seen: a name with one ASCII letter or digit is renamed and stored ("größe" is "gr_e"). Where none is left the renaming
# ends in "_", which Loki calls invalid: 400, and nothing of the request is stored. Senders do not try a 400 again
# (https://opentelemetry.io/docs/specs/otlp/#failures-1), so a collector that batches loses the records of others too.
# For users: rename such attributes before they reach Loki, in the collector or the service.
set -euo pipefail

version=v3.7.8
folder=$(mktemp -d)
loki=
finish() {
    [ -z "$loki" ] || kill "$loki" 2>/dev/null || true
    chmod -R u+w "$folder"
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"

# Loki's module lacks a module of its own tree that it replaces by a folder; the published one takes its place
module=$(go mod download -json "github.com/grafana/loki/v3@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module" source
chmod -R u+w source
(
    cd source
    push=github.com/grafana/loki/pkg/push
    go mod edit -replace "$push=$push@v0.0.0-20250630054201-94c0ba7b0952"
    CGO_ENABLED=0 go build -mod=mod -o ../loki ./cmd/loki
)

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
rpc=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >loki.yaml <<YAML
auth_enabled: false
server: {http_listen_address: 127.0.0.1, http_listen_port: $port, grpc_listen_address: 127.0.0.1, grpc_listen_port: $rpc}
common:
  path_prefix: $folder/data
  replication_factor: 1
  instance_addr: 127.0.0.1
  ring: {kvstore: {store: inmemory}}
  storage: {filesystem: {chunks_directory: $folder/chunks, rules_directory: $folder/rules}}
schema_config:
  configs: [{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: i_, period: 24h}}]
YAML
./loki -config.file=loki.yaml >loki.log 2>&1 &
loki=$!
for _ in $(seq 120); do
    curl --silent "127.0.0.1:$port/ready" | grep -q '^ready' && break
    sleep 1
done

cat >send.py <<'PYTHON'
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

base = f"http://127.0.0.1:{sys.argv[1]}"


def build_resource(service, attributes):
    record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": "a line"}, "attributes": attributes}
    name = {"key": "service.name", "value": {"stringValue": service}}
    return {"resource": {"attributes": [name]}, "scopeLogs": [{"logRecords": [record]}]}


for number, name in enumerate(["size", "größe", "大小", "--"]):
    attribute = {"key": name, "value": {"stringValue": "x"}}
    resources = [build_resource(f"sender{number}", [attribute]), build_resource(f"other{number}", [])]
    body = json.dumps({"resourceLogs": resources}).encode()
    request = urllib.request.Request(f"{base}/otlp/v1/logs", body, {"Content-Type": "application/json"})
    try:
        answer = urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        answer = error.code
    query = urllib.parse.urlencode({"query": f'{{service_name=~"(sender|other){number}"}}'})
    with urllib.request.urlopen(f"{base}/loki/api/v1/query_range?{query}") as found:
        streams = json.load(found)["data"]["result"]
    labels = sorted(set().union(*(stream["stream"] for stream in streams)) - {"service_name", "detected_level"})
    print(f"{name}: {answer}, {sum(len(stream['values']) for stream in streams)} of 2 records stored, as {labels}")
PYTHON
python3 send.py "$port" | tee seen

diff - seen <<'WANTED'
size: 204, 2 of 2 records stored, as ['size']
größe: 204, 2 of 2 records stored, as ['gr_e']
大小: 400, 0 of 2 records stored, as []
--: 400, 0 of 2 records stored, as []
WANTED
echo "unchanged"
