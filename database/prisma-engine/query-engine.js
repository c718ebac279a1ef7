#!/usr/bin/env node
// Stands in for Prisma's native `query-engine` where its CDN is blocked: same command line, same HTTP interface.
// prisma-client-py starts this file when PRISMA_QUERY_ENGINE_BINARY names it.
'use strict'
const { parseArgs } = require('node:util')

const { values: options } = parseArgs({
  options: {
    version: { type: 'boolean', short: 'V' },
    host: { type: 'string', short: 'H', default: '127.0.0.1' },
    port: { type: 'string', short: 'p', default: process.env.PORT || '4466' },
  },
  strict: false, // the native engine has more options, all without meaning here
})

if (options.version) {
  const { devDependencies } = require('@prisma/client/package.json')
  console.log(`query-engine ${devDependencies['@prisma/engines-version'].split('.').at(-1)}`)
} else {
  process.title = 'query-engine' // LiteLLM's orphan reaper recognises engines by this name
  const { log } = require('./engine/log')
  const { startEngine } = require('./engine/engine')
  const { serve } = require('./engine/server')
  startEngine()
    .then((engine) => serve(engine, options))
    .catch((error) => {
      log('error', `could not start: ${error.message}`)
      process.exit(1)
    })
}
