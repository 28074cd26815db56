// A small model behind POST /v1/chat/completions: one answer at a time, always within the schema.
//   node server.mjs MODEL.gguf PORT
import http from "node:http";
import {getLlama, LlamaChatSession} from "node-llama-cpp";

const [model_path, port] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: model_path});
const context = await model.createContext({contextSize: 4096, threads: 1});
const sequence = context.getSequence();
const session = new LlamaChatSession({contextSequence: sequence});
const grammars = new Map();

// A model of this size cannot judge whether a message is an order, nor count. Named as usual, it chooses a product,
// within the schema of one, and an order of one of it is written around its choice. Named with "-full" at the end, it
// writes the whole answer within the whole schema, whatever that is worth.
const FULL = /-full$/;

function product_of(schema) {
  return schema.properties.command.anyOf[0].properties.lines.items.properties.product;
}

// The engine's schemas say oneOf where OpenAI's say anyOf; here no two of them fit the same answer.
function as_engine_takes_it(schema) {
  if (Array.isArray(schema)) return schema.map(as_engine_takes_it);
  if (schema === null || typeof schema !== "object") return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) =>
    [key === "anyOf" ? "oneOf" : key, as_engine_takes_it(value)]));
}

function answer_of(choice) {
  const line = {product: JSON.parse(choice), quantity: 1, options: [], without: []};
  return JSON.stringify({command: {kind: "order", lines: [line]}});
}

async function grammar_of(schema) {
  const key = JSON.stringify(schema);
  if (!grammars.has(key)) grammars.set(key, await llama.createGrammarForJsonSchema(schema));
  return grammars.get(key);
}

async function complete(request) {
  const [system, ...rest] = request.messages.map((message) => message.content);
  const schema = request.response_format.json_schema.schema;
  const full = FULL.test(request.model);
  const grammar = await grammar_of(full ? as_engine_takes_it(schema) : product_of(schema));
  // What questions have in common at their beginning stays computed.
  session.setChatHistory([{type: "system", text: system}]);
  const before = sequence.tokenMeter.getState();
  const text = await session.prompt(rest.join("\n"), {grammar, temperature: 0, maxTokens: request.max_tokens});
  const used = sequence.tokenMeter.diff(before);
  return {
    id: "small", object: "chat.completion", created: 1, model: request.model,
    choices: [{index: 0, finish_reason: "stop", message: {role: "assistant", content: full ? text : answer_of(text)}}],
    usage: {prompt_tokens: used.usedInputTokens, completion_tokens: used.usedOutputTokens,
      total_tokens: used.usedInputTokens + used.usedOutputTokens},
  };
}

let turn = Promise.resolve();

// GET waits until every question so far is answered.
http.createServer((request, response) => {
  if (request.method === "GET") {
    turn = turn.then(() => response.writeHead(204).end());
    return;
  }
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    turn = turn.then(async () => {
      try {
        const answer = JSON.stringify(await complete(JSON.parse(body)));
        response.writeHead(200, {"Content-Type": "application/json"}).end(answer);
      } catch (error) {
        console.error(error.message);
        response.writeHead(500, {"Content-Type": "application/json"}).end("{}");
      }
    });
  });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
