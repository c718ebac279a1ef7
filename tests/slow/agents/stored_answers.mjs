// An agent with OpenAI's provider of the Vercel AI SDK: as it is, or with what the how-to says to set. The gateway's
// address is the first argument, then the prompt, then "as it is" or "store: false".
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";

const [gateway, prompt, how] = process.argv.slice(2);
const openai = createOpenAI({ baseURL: `${gateway}/v1`, apiKey: process.env.STACKSPOT_GATEWAY_KEY });
const order = tool({
  description: "The state of an order.",
  inputSchema: z.object({ number: z.number() }),
  execute: ({ number }) => `order ${number} is at sea`,
});
try {
  const result = await generateText({
    model: openai("stackspot-code"),
    providerOptions: how === "store: false" ? { openai: { store: false } } : {},
    prompt,
    stopWhen: stepCountIs(5),
    tools: { order },
  });
  console.log(result.text);
} catch (error) {
  console.log(`${error.statusCode}: ${error.message}`);
}
