#!/usr/bin/env bash
# Prometheus 3.15.0: an alert over a series that another group records as seldom as the lookback never fires while that
# group takes seconds to evaluate; `promtool test rules` 3.15.0 says that it fires.
#
# Expected: the recorded series is always 1, so the alert fires after its `for`; a unit test of the same files by
# promtool evaluates each group at its own `interval`, as the server does
# (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/).
# Seen: once in each interval of the slow group, until its rules are done, the last sample is as old as the lookback and
# the next one is not written: the quick group finds nothing and the alert begins its `for` anew. promtool evaluates
# every group at `evaluation_interval` and gives each rule no time at all, so its test passes.
# For users: recording rules for long windows stand in groups with `interval: 5m`, which is the lookback's default. An
# alert that reads them by last_over_time(series[12m]) fires.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat >go.mod <<'MOD'
module example.com/run

go 1.26

require github.com/prometheus/prometheus v0.315.0
MOD
printf '//go:build tools\n\npackage run\n\nimport (\n%s\n%s\n)\n' \
    '_ "github.com/prometheus/prometheus/cmd/prometheus"' '_ "github.com/prometheus/prometheus/cmd/promtool"' >tools.go
go mod tidy >/dev/null 2>&1
for program in prometheus promtool; do
    CGO_ENABLED=0 go build -o "$program" "github.com/prometheus/prometheus/cmd/$program"
done

cat >prometheus.yml <<'YAML'
global: { evaluation_interval: 1s }
rule_files: [rules.yml]
YAML
cat >rules.yml <<'YAML'
groups:
  - name: slow
    interval: 10s
    rules:
      - { record: heavy, expr: "count_over_time(vector(1)[3h:1ms])" } # takes seconds
      - { record: recorded, expr: vector(1) }
  - name: quick
    interval: 1s
    rules:
      - { alert: Plain, expr: recorded == 1, for: 12s }
      - { alert: OverRange, expr: "last_over_time(recorded[24s]) == 1", for: 12s }
YAML
cat >test.yml <<'YAML'
rule_files: [light.yml]
evaluation_interval: 1s
tests:
  - interval: 1s
    input_series: [{ series: other, values: 1x60 }]
    promql_expr_test:
      - { expr: 'ALERTS{alertstate="firing", alertname="Plain"}', eval_time: 20s, exp_samples: [
          { labels: 'ALERTS{alertstate="firing", alertname="Plain"}', value: 1 }] }
      - { expr: "count_over_time(recorded[20s])", eval_time: 40s, exp_samples: [{ labels: "{}", value: 20 }] }
YAML
sed '/record: heavy/d' rules.yml >light.yml
./promtool test rules test.yml # the alert fires, and the slow group was evaluated 20 times in 20 s

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
./prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address="127.0.0.1:$port" \
    --query.lookback-delta=10s >log 2>&1 &
server=$!
ask() { curl -sG "http://127.0.0.1:$port/api/v1/query" --data-urlencode "query=$1" | python3 -c '
import json, sys
result = json.load(sys.stdin)["data"]["result"]
print(int(float(result[0]["value"][1])) if result else 0)' 2>/dev/null; }
for _ in $(seq 120); do # until the alert over a range has been firing for twenty seconds
    over=$(ask 'count_over_time(ALERTS{alertname="OverRange", alertstate="firing"}[1h])' || echo 0)
    [ "${over:-0}" -lt 20 ] || break
    sleep 1
done
plain=$(ask 'count_over_time(ALERTS{alertname="Plain", alertstate="firing"}[1h])')
pending=$(ask 'count_over_time(ALERTS{alertname="Plain", alertstate="pending"}[1h])')
echo "firing over a range: $over times, plain: $plain times, plain pending: $pending times"
[ "$over" -ge 20 ] && [ "$plain" -eq 0 ] && [ "$pending" -gt 0 ]
