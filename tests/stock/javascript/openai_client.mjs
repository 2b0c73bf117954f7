// OpenAI's own client for JavaScript: `node openai_client.mjs URL SCENARIO PROMPT`.
import OpenAI, { toFile } from "openai";

const [url, scenario, prompt] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: "of-the-deployment" });
const model = "flux-schnell";

async function works() {
  const both = await client.images.generate({ model, prompt, n: 2, size: "1024x1536" });
  const picture = Buffer.from(both.data[0].b64_json, "base64");
  const image = await toFile(picture, "picture.webp", { type: "image/webp" });
  const edited = await client.images.edit({ model: "flux-dev", prompt, image, response_format: "url" });
  const models = [];
  for await (const each of client.models.list()) models.push(each.id);
  return { models, both: both.data.map((each) => [!!each.url, !!each.b64_json]), edited: edited.data[0].url };
}

async function refused() {
  const told = {};
  for (const [name, members] of Object.entries({ model: { model: "dall-e-9" }, n: { n: 9 } })) {
    try {
      await client.images.generate({ model, prompt, ...members });
    } catch (error) {
      told[name] = [error.constructor.name, error.code, error.param];
    }
  }
  return told;
}

console.log(JSON.stringify(await { works, refused }[scenario]()));
