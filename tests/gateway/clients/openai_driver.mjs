// Makes calls with OpenAI's SDK for JavaScript: a list of them as JSON on standard input, what came of each as JSON on
// standard output. The gateway's address and key are in OPENAI_BASE_URL and OPENAI_API_KEY.
import OpenAI from 'openai'

const client = new OpenAI({ maxRetries: 0 })

const ROUTES = {
  async chat({ model, prompt, stream, extra }) {
    const body = { model, messages: [{ role: 'user', content: prompt }], ...extra }
    if (!stream) {
      const answer = await client.chat.completions.create(body)
      const [choice] = answer.choices
      return { text: choice.message.content, finish: choice.finish_reason, usage: answer.usage }
    }
    const told = { text: '', finish: null, usage: null }
    for await (const chunk of await client.chat.completions.create({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    })) {
      told.text += chunk.choices[0]?.delta.content ?? ''
      told.finish = chunk.choices[0]?.finish_reason ?? told.finish
      told.usage = chunk.usage ?? told.usage
    }
    return told
  },

  async completions({ model, prompt, stream, extra }) {
    if (!stream) {
      const answer = await client.completions.create({ model, prompt, ...extra })
      return { text: answer.choices[0].text, finish: answer.choices[0].finish_reason, usage: answer.usage }
    }
    const told = { text: '', finish: null, usage: null }
    const options = { stream: true, stream_options: { include_usage: true } }
    for await (const chunk of await client.completions.create({ model, prompt, ...extra, ...options })) {
      told.text += chunk.choices[0]?.text ?? ''
      told.finish = chunk.choices[0]?.finish_reason ?? told.finish
      told.usage = chunk.usage ?? told.usage
    }
    return told
  },

  async responses({ model, prompt, stream, extra }) {
    if (!stream) {
      const answer = await client.responses.create({ model, input: prompt, ...extra })
      return { text: answer.output_text, finish: answer.status, usage: answer.usage }
    }
    const told = { text: '', finish: null, usage: null }
    for await (const event of await client.responses.create({ model, input: prompt, stream: true, ...extra })) {
      if (event.type === 'response.output_text.delta') told.text += event.delta
      if (event.type === 'response.completed' || event.type === 'response.failed') {
        told.finish = event.response.status
        told.usage = event.response.usage
        told.message = event.response.error?.message
      }
    }
    return told
  },

  async embeddings({ model, prompt }) {
    return await client.embeddings.create({ model, input: prompt })
  },

  async models() {
    return { names: (await client.models.list()).data.map((model) => model.id) }
  },
}

async function outcome(call) {
  try {
    return await ROUTES[call.route](call)
  } catch (error) {
    const { status, code, message } = error
    return { error: error.constructor.name, status, code, message }
  }
}

let input = ''
for await (const piece of process.stdin) input += piece
const outcomes = []
for (const call of JSON.parse(input)) outcomes.push(await outcome(call))
process.stdout.write(JSON.stringify(outcomes))
