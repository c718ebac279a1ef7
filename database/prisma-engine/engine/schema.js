// What is read from Prisma's schema file: the field types that the translation needs, and where the database is.
'use strict'
const fs = require('node:fs')

function readSchema(env = process.env) {
  if (env.PRISMA_DML_PATH) return fs.readFileSync(env.PRISMA_DML_PATH, 'utf8')
  return Buffer.from(env.PRISMA_DML || '', 'base64').toString()
}

/** Model name -> field name -> field type, as in `{ LiteLLM_UserTable: Map { 'metadata' => 'Json' } }`. */
function readModels(schema) {
  const models = {}
  for (const [, name, body] of schema.matchAll(/^model\s+(\w+)\s*\{([\s\S]*?)^\}/gm)) {
    const fields = (models[name] = new Map())
    for (const line of body.split('\n')) {
      const field = /^\s*(\w+)\s+(\w+)/.exec(line)
      if (field) fields.set(field[1], field[2])
    }
  }
  return models
}

/** The address the client gave, else the one in the variable that the schema names. */
function databaseUrl(schema, env = process.env) {
  const overrides = env.OVERWRITE_DATASOURCES
  if (overrides) {
    const text = overrides.trimStart().startsWith('[') ? overrides : Buffer.from(overrides, 'base64').toString()
    const [source] = JSON.parse(text)
    if (source?.url) return source.url
  }
  const variable = /^datasource\s+\w+\s*\{[\s\S]*?^\s*url\s*=\s*env\("([^"]+)"\)/m.exec(schema)?.[1] ?? 'DATABASE_URL'
  if (!env[variable]) throw new Error(`no database address: set ${variable}`)
  return env[variable]
}

module.exports = { databaseUrl, readModels, readSchema }
