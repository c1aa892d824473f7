/**
 * Metrics, log lines and spans of a service with Express: copy this file, service.js shows how it is used.
 *
 * A request is one line, one span and one sample of each metric, with the same path: the route's template, never the
 * path itself, as each path is a time series of its own.
 *
 * @import { Span } from '@opentelemetry/api'
 * @import { NextFunction, Request, Response } from 'express'
 */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { context, diag, DiagLogLevel, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import pino from 'pino'
import metrics from 'prom-client'

/** Anybody can send a method of their own; those beyond these are one value. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** Seconds. An alert or an objective needs a bound at its threshold. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10]
const FLUSH_MS = 2000
/** What nginx calls a request whose caller went away. */
const ABANDONED = 499

// -- log lines -------------------------------------------------------------------------------------------------------

/** One JSON object a line; inside of a request with the ids of its span. An error goes under `err`, stack and all. */
export const log = pino({
  base: undefined, // no pid and hostname: who collects the lines knows where they come from
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) }, // a word, as the numbers of pino mean nothing elsewhere
  mixin: () => {
    const span = trace.getActiveSpan()?.spanContext()
    return span ? { trace_id: span.traceId, span_id: span.spanId } : {}
  }
})
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'uncaught exception') // Node.js itself would write it as many lines
  process.exit(1)
})

// -- spans -----------------------------------------------------------------------------------------------------------

/** What the SDK says of itself, such as that spans were refused; without a logger it says nothing. */
const complain = (/** @type {string} */ message) => log.warn(`OpenTelemetry: ${message}`)
const ignore = () => {}
diag.setLogger(
  { error: complain, warn: complain, info: ignore, debug: ignore, verbose: ignore },
  { logLevel: DiagLogLevel.WARN }
)
const named = resourceFromAttributes({ 'service.name': 'orders', 'service.instance.id': hostname() })
const provider = new TracerProvider({
  resource: named.merge(detectResources({ detectors: [envDetector] })), // OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
  sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  // without an address there are no spans to send, but still ids for the log lines
  spanProcessors: process.env.OTEL_EXPORTER_OTLP_ENDPOINT
    ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })]
    : []
})
trace.setGlobalTracerProvider(provider)
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
const tracer = trace.getTracer('orders')

/** Sends the spans that wait; who stores them may be away, and that must not hold up the end. */
export async function flushSpans() {
  await Promise.race([provider.shutdown().catch(() => {}), sleep(FLUSH_MS, undefined, { ref: false })])
}

/**
 * Calls `work` within a span for a call of another service.
 * @template T
 * @param {string} url
 * @param {(headers: Record<string, string>) => Promise<T>} work gets the headers that continue the trace there
 * @returns {Promise<T>}
 */
export function traceCall(url, work) {
  const attributes = { 'http.request.method': 'GET', 'url.full': url }
  return tracer.startActiveSpan('GET', { kind: SpanKind.CLIENT, attributes }, async (span) => {
    /** @type {Record<string, string>} */
    const headers = {}
    propagation.inject(context.active(), headers)
    try {
      return await work(headers)
    } catch (error) {
      markFailed(span, /** @type {Error} */ (error))
      throw error
    } finally {
      span.end()
    }
  })
}

/**
 * @param {Span} span
 * @param {Error} error
 */
function markFailed(span, error) {
  span.recordException(error)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
}

// -- metrics ---------------------------------------------------------------------------------------------------------

metrics.collectDefaultMetrics() // of the process and of Node.js
const requests = new metrics.Counter({
  name: 'http_requests_total',
  help: 'Requests by method, path and status.',
  labelNames: ['method', 'path', 'status']
})
const duration = new metrics.Histogram({
  name: 'http_request_duration_seconds',
  help: 'How long requests take.',
  labelNames: ['method', 'path'],
  buckets: BUCKETS
})
const inFlight = new metrics.Gauge({ name: 'http_requests_in_flight', help: 'Requests that are being answered.' })

/**
 * @param {Request} request
 * @param {Response} response
 */
export async function showMetrics(request, response) {
  response.type(metrics.register.contentType).send(await metrics.register.metrics())
}

// -- requests --------------------------------------------------------------------------------------------------------

/**
 * Watches the requests to all routes that are added after it; those before it, such as metrics and health, are neither
 * work of the service nor failures of it.
 * @param {Request} request
 * @param {Response} response
 * @param {NextFunction} next
 */
export function watchRequests(request, response, next) {
  const began = performance.now()
  const method = METHODS.has(request.method) ? request.method : 'OTHER'
  const [url] = request.originalUrl.split('?') // a query may hold what no log should
  const path = followPath(request)
  const parent = propagation.extract(context.active(), request.headers)
  const attributes = { 'http.request.method': method, 'url.path': url }
  const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent)
  const active = trace.setSpan(parent, span)
  inFlight.inc()
  response.once('close', context.bind(active, () => { // also when the caller went away
    const seconds = (performance.now() - began) / 1000
    const error = response.locals.error
    const status = error ? error.status : response.writableFinished ? response.statusCode : ABANDONED
    inFlight.dec()
    requests.inc({ method, path: path(), status: String(status) })
    duration.observe({ method, path: path() }, seconds)
    const fields = { method, path: path(), url, status, duration_ms: Math.round(seconds * 1000) }
    if (status >= 500) log.error({ ...fields, err: error?.cause }, 'request failed')
    else log.info(fields, 'request served')
    span.updateName(`${method} ${path()}`)
    span.setAttributes({ 'http.route': path(), 'http.response.status_code': status })
    if (status >= 500) markFailed(span, error?.cause ?? new Error(`status ${status}`))
    span.end()
  }))
  context.with(active, next)
}

/**
 * The template of the route that a request takes, or `unknown`. It is noted when Express matches the route: after an
 * error, the path of the router that has it is gone. Routers must stand at paths without parameters.
 * @param {Request} request
 * @returns {() => string}
 */
function followPath(request) {
  let path = 'unknown'
  /** @type {Request['route']} */
  let route
  Object.defineProperty(request, 'route', {
    get: () => route,
    set: (matched) => {
      route = matched
      path = request.baseUrl.toLowerCase() + matched.path // Express takes /API for /api
    }
  })
  return () => path
}

/**
 * Answers a request that failed: with the status that the error names, as those of express.json() do, else with 500.
 * Express knows it as a handler of errors by its four parameters.
 * @param {Error & { status?: number }} error
 * @param {Request} request
 * @param {Response} response
 * @param {NextFunction} next
 */
export function answerError(error, request, response, next) {
  const { status: named = 500 } = error
  const status = named >= 400 && named < 500 ? named : 500
  response.locals.error = { status, cause: error } // its line is that of the request
  if (response.headersSent) response.destroy() // half an answer must not look like a whole one
  else response.status(status).json({ error: status === 500 ? 'internal error' : error.message })
}
