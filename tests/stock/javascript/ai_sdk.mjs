// Image generation of the AI SDK: `node ai_sdk.mjs URL SCENARIO PROMPT [KEY]`.
import { createOpenAI } from "@ai-sdk/openai";
import { generateImage } from "ai";

const [url, scenario, prompt, key] = process.argv.slice(2);
const openai = createOpenAI({ baseURL: `${url}/openai/v1`, apiKey: "of-the-deployment" });

async function works() {
  const made = await generateImage({ model: openai.image("flux-schnell"), prompt, size: "1024x1024", n: 2 });
  const images = made.images.map((each) => each.uint8Array);
  const edited = await generateImage({ model: openai.image("flux-dev"), prompt: { text: prompt, images: [images[0]] } });
  return { made: made.images.map((each) => each.mediaType), edited: edited.images.map((each) => each.mediaType) };
}

async function one() {
  const headers = key ? { "Idempotency-Key": key } : {};
  try {
    const made = await generateImage({ model: openai.image("flux-schnell"), prompt, headers });
    return { images: made.images.length };
  } catch (error) {
    return { error: [error.name, error.statusCode ?? null, error.message] };
  }
}

console.log(JSON.stringify(await { works, one }[scenario]()));
