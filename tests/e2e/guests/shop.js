// A service as people write them with Express, express-prom-bundle and pino, all by their defaults.
const express = require('express')
const bundle = require('express-prom-bundle')
const log = require('pino')()

const mode = { fail: 0, delay: 0 } // the share of requests that fail, and seconds that each takes
const app = express()
app.use(bundle({
  includeMethod: true,
  includePath: true,
  promClient: { collectDefaultMetrics: {} },
  bypass: (request) => request.path === '/-/mode'
}))
app.use(express.json())
app.get('/orders/:number', async (request, response) => {
  await new Promise((resolve) => setTimeout(resolve, mode.delay * 1000))
  const traceId = request.get('X-Trace-Id')
  if (Math.random() < mode.fail) {
    log.error({ traceId, err: new Error('no such order') }, 'order failed')
    return response.status(500).json({})
  }
  log.info({ traceId }, 'order served')
  return response.json({ number: request.params.number })
})
app.get('/healthz', (request, response) => response.json({ status: 'ok' }))
app.post('/-/mode', (request, response) => response.json(Object.assign(mode, request.body)))
app.listen(Number(process.env.PORT), '0.0.0.0')
