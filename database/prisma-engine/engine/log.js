// Where the engine's own lines go: standard error, which LiteLLM shows among its logs.
'use strict'

function log(level, text) {
  process.stderr.write(`query-engine ${level}: ${text}\n`)
}

module.exports = { log }
