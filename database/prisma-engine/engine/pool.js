// Connections to Postgres: a Prisma database address turned into a node-postgres pool.
'use strict'
const fs = require('node:fs')
const os = require('node:os')
const pg = require('pg')
const { log } = require('./log')

// column types that the native engine reads as text but adapter-pg refuses: "char", name, unknown, name[]
const TEXT_LIKE = { 18: 25, 19: 25, 705: 25, 1003: 1009 }

const addFields = pg.Result.prototype.addFields
pg.Result.prototype.addFields = function (fields) {
  for (const field of fields) field.dataTypeID = TEXT_LIKE[field.dataTypeID] || field.dataTypeID
  addFields.call(this, fields)
}

function tlsOptions(get) {
  const mode = get('sslmode') || 'prefer'
  if (mode === 'disable') return undefined
  const read = (name) => (get(name) ? fs.readFileSync(get(name)) : undefined)
  return {
    rejectUnauthorized: mode.startsWith('verify') || get('sslaccept') === 'strict',
    ca: read('sslrootcert') || read('sslcert'), // Prisma calls the certificate authority sslcert
    pfx: read('sslidentity'),
    passphrase: get('sslpassword') || undefined,
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  }
}

/** Maps the query parameters of a Prisma address to node-postgres options. */
function poolOptions(address) {
  const url = new URL(address)
  const get = (name) => url.searchParams.get(name)
  const milliseconds = (name, seconds) => Number(get(name) ?? seconds) * 1000
  const schema = get('schema') || undefined
  return {
    host: get('host') || url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
    database: decodeURIComponent(url.pathname.slice(1)) || 'postgres',
    max: Number(get('connection_limit') || os.availableParallelism() * 2 + 1),
    connectionTimeoutMillis: milliseconds('pool_timeout', 10),
    idleTimeoutMillis: milliseconds('max_idle_connection_lifetime', 300),
    query_timeout: milliseconds('socket_timeout', 0) || undefined,
    application_name: get('application_name') || undefined,
    keepAlive: true,
    // Prisma reads a timestamp with time zone in the session's zone, so that zone has to be UTC
    options: [get('options'), '-c TimeZone=UTC', schema && `-c search_path="${schema}"`].filter(Boolean).join(' '),
    ssl: tlsOptions(get),
    schema,
    tlsOptional: (get('sslmode') || 'prefer') === 'prefer',
  }
}

/** A pool that has answered once; TLS is given up only where the address leaves it open. */
async function openPool(options) {
  const pool = new pg.Pool(options)
  pool.on('error', (error) => log('warn', `an idle connection ended: ${error.message}`))
  try {
    await pool.query('SELECT 1')
    return pool
  } catch (error) {
    await pool.end().catch(() => {})
    if (!options.ssl || !options.tlsOptional || !/does not support SSL/.test(error.message)) throw error
    return openPool({ ...options, ssl: undefined })
  }
}

module.exports = { openPool, poolOptions }
