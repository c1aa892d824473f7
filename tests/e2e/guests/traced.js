// A service as people write them with OpenTelemetry: its metrics of HTTP come from the instrumentation alone.
const { MeterProvider } = require('@opentelemetry/sdk-metrics')
const { PrometheusExporter } = require('@opentelemetry/exporter-prometheus')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')

const exporter = new PrometheusExporter({ port: Number(process.env.METRICS_PORT), host: '0.0.0.0' })
const provider = new MeterProvider({ readers: [exporter] })
const instrumentation = new HttpInstrumentation()
instrumentation.setMeterProvider(provider)
instrumentation.enable()
const http = require('http')
const log = require('pino')({
  formatters: { level: (label) => ({ severity: label.toUpperCase() }) },
  timestamp: () => `,"timestamp":"${new Date().toISOString()}"`
})

const mode = { fail: 0, delay: 0 } // the share of requests that fail, and seconds that each takes

http.createServer(async (request, response) => {
  if (request.url === '/-/mode') {
    let body = ''
    for await (const part of request) body += part
    Object.assign(mode, JSON.parse(body))
    return response.end('{}')
  }
  if (request.url === '/healthz') return response.end('{"status":"ok"}')
  await new Promise((resolve) => setTimeout(resolve, mode.delay * 1000))
  const trace_id = request.headers['x-trace-id']
  const failed = Math.random() < mode.fail
  if (failed) {
    response.statusCode = 500
    log.error({ trace_id }, 'order failed')
  } else log.info({ trace_id }, 'order served')
  return response.end('{}')
}).listen(Number(process.env.PORT), '0.0.0.0')
