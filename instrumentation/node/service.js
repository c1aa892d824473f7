/**
 * Orders, as an example of a service that is watched: it asks another service, where STOCK_URL names one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { answerError, flushSpans, log, showMetrics, traceCall, watchRequests } from './telemetry.js'

const { PORT = '3000', STOCK_URL } = process.env
/** Seconds in which whoever sends requests learns that it is not ready. With the rest less than a stop's usual 10 s. */
const DRAIN_SECONDS = Number(process.env.DRAIN_SECONDS ?? 3)
const FINISH_MS = 4000
const TIMEOUT_MS = 5000

let stopping = false
const app = express().disable('x-powered-by')

// -- metrics and health ----------------------------------------------------------------------------------------------

app.get('/metrics', showMetrics)
// whether to restart it: it calls no dependency, as a restart helps none
app.get('/livez', (request, response) => response.json({ status: 'ok' }))
// whether to send requests to it
app.get('/readyz', (request, response) => response.status(stopping ? 503 : 200).json({ ready: !stopping }))
// what is wrong, for people and their alerts
app.get('/health', async (request, response) => {
  const checks = { stock: await checkStock() }
  const healthy = Object.values(checks).every((said) => said === 'ok')
  response.status(healthy ? 200 : 503).json({ status: healthy ? 'ok' : 'failing', checks })
})

/** Whether the other service answers at all; what it answers to orders is seen in their metrics. */
async function checkStock() {
  if (!STOCK_URL) return 'ok'
  try {
    const answer = await fetch(`${STOCK_URL}/livez`, { signal: AbortSignal.timeout(2000) })
    return answer.status < 500 ? 'ok' : `status ${answer.status}`
  } catch (error) {
    const { message, cause } = /** @type {Error & { cause?: { code?: string } }} */ (error)
    return cause?.code ?? message
  }
}

// -- what it is for --------------------------------------------------------------------------------------------------

app.use(watchRequests)
app.get('/orders/:number', async (request, response) => {
  const number = Number(request.params.number)
  if (!Number.isSafeInteger(number)) return response.status(404).json({ error: 'no such order' })
  return response.json({ number, stock: STOCK_URL ? await readStock(number) : null })
})
app.use(answerError)

/**
 * What is in stock for an order.
 * @param {number} number
 * @returns {Promise<unknown>}
 * @throws {Error} the other service failed, or took too long
 */
function readStock(number) {
  const url = `${STOCK_URL}/orders/${number}`
  return traceCall(url, async (headers) => {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
    return answer.json()
  })
}

// -- start and stop --------------------------------------------------------------------------------------------------

const server = app.listen(Number(PORT), (error) => {
  if (error) throw error // such as a port that is taken
  log.info({ port: Number(PORT) }, 'listening')
})

/** First not ready, then no new requests, then those that are there answered, then their spans sent. */
async function stop() {
  stopping = true
  log.info('stopping')
  await sleep(DRAIN_SECONDS * 1000)
  server.keepAliveTimeout = 1 // a connection ends with its last answer
  setTimeout(() => server.closeAllConnections(), FINISH_MS).unref()
  await new Promise((resolve) => server.close(resolve))
  await flushSpans()
  log.info('stopped')
  process.exit(0)
}
process.once('SIGTERM', stop).once('SIGINT', stop)
