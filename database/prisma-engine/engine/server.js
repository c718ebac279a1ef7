// The native engine's HTTP interface: queries, interactive transactions, status.
'use strict'
const http = require('node:http')
const { log } = require('./log')

const TRANSACTION = /^\/transaction\/(?:start|([\w-]+)\/(commit|rollback))$/
const PARENT_CHECK_MS = 5000
const STOP_LIMIT_MS = 400

async function readBody(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {}
}

/** The status and the body that answer a request. */
async function route(engine, request) {
  const { pathname } = new URL(request.url, 'http://localhost')
  if (request.method === 'GET' && pathname === '/status') return [200, { status: 'ok' }]
  if (request.method === 'GET' && pathname === '/metrics') return [200, { counters: [], gauges: [], histograms: [] }]
  if (request.method !== 'POST') return [404, {}]
  const body = await readBody(request)
  if (pathname === '/') return [200, await engine.query(body, request.headers['x-transaction-id'])]
  const match = TRANSACTION.exec(pathname)
  if (!match) return [404, {}]
  const [, id, end] = match
  return [200, await (id ? engine.endTransaction(end, id) : engine.startTransaction(body))]
}

function unexpected(error) {
  log('error', error.stack || String(error))
  const message = String(error.message || error)
  return [200, { errors: [{ error: message, user_facing_error: { is_panic: false, message } }] }]
}

/** Serves the engine until it is told to stop or its parent is gone. */
function serve(engine, { host, port }) {
  const server = http.createServer(async (request, response) => {
    const [status, body] = await route(engine, request).catch(unexpected)
    const text = JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  })
  server.keepAliveTimeout = 0 // the client reuses connections; closing an idle one would race with its next request
  server.requestTimeout = 0
  server.listen(Number(port), host)

  function stop() {
    setTimeout(() => process.exit(0), STOP_LIMIT_MS).unref()
    server.close()
    server.closeAllConnections()
    engine.stop().finally(() => process.exit(0))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const parent = process.ppid
  setInterval(() => process.ppid === parent || stop(), PARENT_CHECK_MS).unref() // without its proxy it has no use
}

module.exports = { serve }
