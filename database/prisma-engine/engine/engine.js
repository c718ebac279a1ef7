// Prisma's own query engine, built as WebAssembly (npm's @prisma/client), over node-postgres (@prisma/adapter-pg).
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { PrismaPg } = require('@prisma/adapter-pg')
const { bindAdapter } = require('@prisma/driver-adapter-utils')
const { driverError } = require('./errors')
const { log } = require('./log')
const { openPool, poolOptions } = require('./pool')
const { databaseUrl, readModels, readSchema } = require('./schema')
const { Translator, tagRows, untag } = require('./translate')

const NO_TRACE = '{}'

function loadWasm() {
  const runtime = path.dirname(require.resolve('@prisma/client/runtime/library.js'))
  const wasm = require(path.join(runtime, 'query_engine_bg.postgresql.js'))
  const module_ = new WebAssembly.Module(fs.readFileSync(path.join(runtime, 'query_engine_bg.postgresql.wasm')))
  wasm.__wbg_set_wasm(new WebAssembly.Instance(module_, { './query_engine_bg.js': wasm }).exports)
  return wasm
}

/** Whether the Python client that started this process wants its raw rows tagged, as those before 0.15 do. */
function wantsTaggedRows() {
  const file = path.join(path.dirname(process.env.PRISMA_DML_PATH || ''), '_raw_query.py')
  return fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes('prisma__value')
}

/** What the client asks for, in the client's own terms; every answer is a body ready to be sent. */
class Engine {
  constructor({ engine, adapter, pool, options, models }) {
    Object.assign(this, { engine, adapter, pool, options })
    this.translator = new Translator(models)
    this.rawRows = wantsTaggedRows() ? tagRows : (result) => result
  }

  async query(body, transactionId) {
    if (body.batch) return this.batch(body, transactionId)
    const { alias, body: request } = this.translator.request(body)
    const result = await this.call('query', JSON.stringify(request), NO_TRACE, transactionId)
    // a raw result's rows are plain already, and a Json value in one may look like a tag
    if (request.action === 'queryRaw' && result.data) return { data: { [alias]: this.rawRows(result.data.queryRaw) } }
    return this.answer(result, alias)
  }

  async batch({ batch, transaction }, transactionId) {
    const requests = batch.map((one) => this.translator.request(one))
    const body = { batch: requests.map((one) => one.body), transaction: transaction ? {} : undefined }
    const result = await this.call('query', JSON.stringify(body), NO_TRACE, transactionId)
    if (result.errors) return { errors: result.errors.map((error) => this.explain(error)) }
    return { batchResult: result.batchResult.map((one, i) => this.answer(one, requests[i].alias)) }
  }

  startTransaction(input) {
    return this.transaction('startTransaction', JSON.stringify(input), NO_TRACE)
  }

  endTransaction(end, id) {
    return this.transaction(`${end}Transaction`, id, NO_TRACE)
  }

  async stop() {
    await this.engine.disconnect(NO_TRACE).catch(() => {})
    await this.pool.end().catch(() => {})
  }

  async call(method, ...args) {
    return JSON.parse(await this.engine[method](...args))
  }

  async transaction(method, ...args) {
    const result = await this.call(method, ...args)
    if (!result.error_code) return result
    const error = { error: result.meta?.error || result.message, user_facing_error: { is_panic: false, ...result } }
    return { errors: [this.explain(error)] }
  }

  answer(result, alias) {
    if (result.errors) return { errors: result.errors.map((error) => this.explain(error)) }
    const [data] = Object.values(result.data)
    return { data: { [alias]: untag(data) } }
  }

  /** The engine reports an exception of the driver as P2036 with a number under which the adapter kept it. */
  explain(error) {
    const facing = error.user_facing_error
    if (facing?.error_code !== 'P2036') return error
    const kept = this.adapter.errorRegistry.consumeError(facing.meta.id)?.error
    if (process.env.QUERY_ENGINE_DEBUG) log('error', kept?.stack || String(kept))
    return driverError(kept, this.options)
  }
}

async function startEngine() {
  const datamodel = readSchema()
  const options = poolOptions(databaseUrl(datamodel))
  const pool = await openPool(options)
  const adapter = bindAdapter(new PrismaPg(pool, { schema: options.schema }))
  const settings = { datamodel, logLevel: 'error', logQueries: false }
  const engine = new (loadWasm().QueryEngine)(settings, (line) => log('info', line), adapter)
  await engine.connect(NO_TRACE)
  return new Engine({ engine, adapter, pool, options, models: readModels(datamodel) })
}

module.exports = { startEngine }
