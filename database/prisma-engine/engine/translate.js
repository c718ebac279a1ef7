// prisma-client-py speaks GraphQL, the WebAssembly engine only Prisma's JSON protocol: requests go one way through
// here, answers the other. Only Json values and relations differ in shape, so the schema's field types decide.
'use strict'
const { parseGraphql } = require('./graphql')

const ACTION = new RegExp(
  '^(?:(findUnique|findFirst)(\\w+?)(OrThrow)?' +
    '|(findMany|createOne|createMany|updateOne|updateMany|deleteOne|deleteMany|upsertOne|aggregate|groupBy)(\\w+)' +
    '|(queryRaw|executeRaw))$',
)
const words = (text) => new Set(text.split(' '))
const HOLDS_FIELDS = words('where data create update having')
const RELATION_ARGS = words('update updateMany upsert connectOrCreate createMany deleteMany')
const RELATION_WORDS = words('is isNot some every none create connect disconnect delete set ' + [...RELATION_ARGS].join(' '))
const WRITE_ARGS = words('where data create update skipDuplicates')
const JSON_PLAIN = words('path mode string_contains string_starts_with string_ends_with')
const JSON_NULLS = words('DbNull JsonNull AnyNull')

const isObject = (value) => value !== null && typeof value === 'object'
const each = (value, convert) => (Array.isArray(value) ? value.map(convert) : convert(value))
const mapValues = (object, convert) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, convert(key, value)]))

class Translator {
  /** `models`: what readModels of schema.js gives. */
  constructor(models) {
    this.models = models
  }

  /** One GraphQL request as a JSON request, with the alias under which the client expects its answer. */
  request({ query }) {
    const root = parseGraphql(query)
    const match = ACTION.exec(root.name)
    if (!match) throw new Error(`unknown operation ${root.name}`)
    const [, find, foundModel, orThrow = '', other, otherModel, raw] = match
    if (raw) return { alias: root.alias, body: { action: raw, query: { arguments: root.args, selection: {} } } }
    const modelName = foundModel || otherModel
    return { alias: root.alias, body: { modelName, action: find ? find + orThrow : other, query: this.query(root, modelName) } }
  }

  query({ args, fields }, model) {
    return { arguments: this.args(args, model), selection: this.selection(fields || [], model) }
  }

  selection(fields, model) {
    const out = {}
    for (const field of fields) {
      const type = this.models[model]?.get(field.name)
      const plain = !field.fields && !Object.keys(field.args).length
      out[field.name] = plain ? true : this.query(field, this.models[type] ? type : model)
    }
    return out
  }

  args(args, model) {
    return mapValues(args, (key, value) => (HOLDS_FIELDS.has(key) ? this.fields(value, model) : value))
  }

  /** An object whose keys are fields of the model, or AND, OR, NOT, or a compound key. */
  fields(value, model) {
    if (Array.isArray(value)) return value.map((item) => this.fields(item, model))
    if (!isObject(value) || value.$type) return value
    return mapValues(value, (key, item) => {
      const type = this.models[model]?.get(key)
      if (type === 'Json') return this.json(item)
      if (this.models[type]) return this.relation(item, type)
      return type ? item : this.fields(item, model)
    })
  }

  /** A filter on a related model, or what is to be written to it. */
  relation(value, model) {
    if (!isObject(value)) return value
    if (!Object.keys(value).every((key) => RELATION_WORDS.has(key))) return this.fields(value, model)
    return mapValues(value, (key, item) =>
      RELATION_ARGS.has(key) ? each(item, (one) => this.relationArgs(one, model)) : this.fields(item, model),
    )
  }

  relationArgs(value, model) {
    if (!isObject(value)) return value
    const isArgs = Object.keys(value).every((key) => WRITE_ARGS.has(key))
    return isArgs ? this.args(value, model) : this.fields(value, model)
  }

  /** GraphQL carries a Json value as text; the JSON protocol wants that text tagged. */
  json(value) {
    if (typeof value === 'string') return { $type: JSON_NULLS.has(value) ? 'Enum' : 'Json', value }
    if (!isObject(value) || Array.isArray(value) || value.$type) return value
    return mapValues(value, (key, item) => (JSON_PLAIN.has(key) ? item : this.json(item)))
  }
}

/** The JSON protocol tags DateTime, BigInt, Decimal, Bytes and Json; GraphQL sends their bare text. */
function untag(value) {
  if (Array.isArray(value)) return value.map(untag)
  if (!isObject(value)) return value
  if (typeof value.$type === 'string') return value.$type === 'Decimal' ? Number(value.value) : value.value
  return mapValues(value, (_key, item) => untag(item))
}

/** Raw rows as Prisma 5.4 sent them, which prisma-client-py 0.11 expects: each value tagged with its type. */
function tagRows({ columns, types, rows }) {
  const tag = (type, value) => ({ prisma__type: value === null ? 'null' : type, prisma__value: value })
  const column = (type, value) => {
    if (!type.endsWith('-array') || value === null) return tag(type, value)
    const itemType = type.slice(0, -'-array'.length)
    return tag('array', value.map((item) => tag(itemType, item)))
  }
  return rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], column(types[i], value)])))
}

module.exports = { Translator, tagRows, untag }
