// Reads the GraphQL that prisma-client-py writes: one operation with one aliased root field.
'use strict'

const TOKEN = /[\s,]*(?:("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|([{}()[\]:])|$)/y
const WORDS = { null: null, true: true, false: false }

class Parser {
  constructor(source) {
    this.source = source
    this.end = 0
    this.next()
  }

  next() {
    TOKEN.lastIndex = this.end
    const match = TOKEN.exec(this.source)
    if (!match) throw new Error(`cannot read the query at character ${this.end}`)
    this.end = TOKEN.lastIndex
    const [, string, number, name, mark] = match
    this.text = string ?? number ?? name ?? mark ?? 'end'
    this.kind = string !== undefined ? 'string' : number !== undefined ? 'number' : name !== undefined ? 'name' : this.text
  }

  take(kind) {
    if (this.kind !== kind) throw new Error(`expected ${kind} but found ${this.text} before character ${this.end}`)
    const { text } = this
    this.next()
    return text
  }

  /** What `item` reads, again and again, between the two marks. */
  between(open, close, item) {
    const list = []
    for (this.take(open); this.kind !== close; ) list.push(item())
    this.next()
    return list
  }

  pair(key) {
    this.take(':')
    return [key, this.value()]
  }

  value() {
    if (this.kind === 'string') return JSON.parse(this.take('string'))
    if (this.kind === 'number') return readNumber(this.take('number'))
    if (this.kind === 'name') {
      const word = this.take('name')
      return Object.hasOwn(WORDS, word) ? WORDS[word] : word
    }
    if (this.kind === '[') return this.between('[', ']', () => this.value())
    const key = () => (this.kind === 'string' ? JSON.parse(this.take('string')) : this.take('name'))
    return Object.fromEntries(this.between('{', '}', () => this.pair(key())))
  }

  field() {
    const alias = this.take('name')
    let name = alias
    if (this.kind === ':') {
      this.next()
      name = this.take('name')
    }
    const args = this.kind === '(' ? this.between('(', ')', () => this.pair(this.take('name'))) : []
    return { name, alias, args: Object.fromEntries(args), fields: this.kind === '{' ? this.fields() : null }
  }

  fields() {
    return this.between('{', '}', () => this.field())
  }
}

/** A whole number beyond what a double holds exactly travels as a tagged BigInt. */
function readNumber(digits) {
  const number = Number(digits)
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(number) ? { $type: 'BigInt', value: digits } : number
}

/** The root field as `{ name, alias, args, fields }`; `fields` is null where nothing is selected. */
function parseGraphql(source) {
  const parser = new Parser(source)
  parser.take('name') // query or mutation
  const roots = parser.fields()
  parser.take('end')
  if (roots.length !== 1) throw new Error(`expected one root field, found ${roots.length}`)
  return roots[0]
}

module.exports = { parseGraphql }
