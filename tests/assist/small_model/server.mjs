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

// A model of this size cannot judge whether a message is an order, nor count: it is made to order one of
// something, and chooses what. The library says `oneOf` to what JSON schema calls `anyOf`, too.
function narrowed(schema) {
  const line = schema.properties.command.anyOf[0].properties.lines.items.properties;
  const one = (properties) => ({type: "object", properties, required: Object.keys(properties), additionalProperties: false});
  const none = {type: "array", maxItems: 0, items: {type: "string"}};
  const item = one({product: line.product, quantity: {const: 1}, options: none, without: none});
  const lines = {type: "array", minItems: 1, maxItems: 1, items: item};
  return one({command: one({kind: {const: "order"}, lines})});
}

async function grammar_of(schema) {
  const key = JSON.stringify(schema);
  if (!grammars.has(key)) grammars.set(key, await llama.createGrammarForJsonSchema(narrowed(schema)));
  return grammars.get(key);
}

async function complete(request) {
  const [system, ...rest] = request.messages.map((message) => message.content);
  const grammar = await grammar_of(request.response_format.json_schema.schema);
  // What questions have in common at their beginning stays computed.
  session.setChatHistory([{type: "system", text: system}]);
  const before = sequence.tokenMeter.getState();
  const text = await session.prompt(rest.join("\n"), {grammar, temperature: 0, maxTokens: request.max_tokens});
  const used = sequence.tokenMeter.diff(before);
  return {
    id: "small", object: "chat.completion", created: 1, model: request.model,
    choices: [{index: 0, finish_reason: "stop", message: {role: "assistant", content: text}}],
    usage: {prompt_tokens: used.usedInputTokens, completion_tokens: used.usedOutputTokens,
      total_tokens: used.usedInputTokens + used.usedOutputTokens},
  };
}

let turn = Promise.resolve();

http.createServer((request, response) => {
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
