// Prisma's error codes for what the Postgres driver throws, with the texts that the native engine uses:
//
//   no free connection in the pool in time   P2024
//   connection closed in mid-query           P1017
//   user or password refused                 P1000
//   no such database                         P1003
//   server not reachable, or starting up     P1001
//   anything else Postgres says              P2010
'use strict'

function userError(code, message, meta = null) {
  return { error: message, user_facing_error: { is_panic: false, message, meta, error_code: code } }
}

/** The error of the driver as the native engine would tell it; second, the options of the connection pool. */
function driverError(error, { host, port, user, database, max, connectionTimeoutMillis }) {
  const text = String(error?.message || error)
  const code = String(error?.code ?? '')
  if (/timeout exceeded when trying to connect/.test(text)) {
    const timeout = connectionTimeoutMillis / 1000
    return userError(
      'P2024',
      'Timed out fetching a new connection from the connection pool. ' +
        `(Current connection pool timeout: ${timeout}, connection limit: ${max})`,
      { connection_limit: max, timeout },
    )
  }
  if (/Connection terminated|ECONNRESET|EPIPE/.test(text) || /^(57P0[124]|08)/.test(code)) {
    return userError('P1017', 'Server has closed the connection.')
  }
  if (code === '28P01' || code === '28000') {
    return userError(
      'P1000',
      `Authentication failed against database server at \`${host}\`, ` +
        `the provided database credentials for \`${user}\` are not valid.`,
      { database_host: host, database_user: user },
    )
  }
  if (code === '3D000') {
    return userError('P1003', `Database \`${database}\` does not exist on the database server at \`${host}:${port}\`.`, {
      database_name: database,
      database_host: host,
      database_port: port,
    })
  }
  if (/^(ECONN|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|ENOENT|57P03)/.test(code) || error?.name === 'AggregateError') {
    return userError(
      'P1001',
      `Can't reach database server at \`${host}:${port}\`\n\n` +
        `Please make sure your database server is running at \`${host}:${port}\`. (${text})`,
      { database_host: host, database_port: port },
    )
  }
  const shown = code || 'N/A'
  return userError('P2010', `Raw query failed. Code: \`${shown}\`. Message: \`${text}\``, { code: shown, message: text })
}

module.exports = { driverError }
