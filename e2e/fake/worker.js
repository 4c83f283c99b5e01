// A worker without an engine: it plays the messages of package wire, so that
// the page can be tested and looked at in every state within seconds.
// Words in a prompt or a file's name ask for trouble: see "crash" and "fails".
"use strict";

const post = (type, body, blob = null) => self.postMessage({ text: JSON.stringify({ type, body }), blob });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const fail = (id, message, hint = "", fatal = false) => post("error", { id, message, hint, fatal });

const models = [
  { name: "sprout-1m", title: "Sprout 1M", bytes: 2_300_000, note: "Small and quick: simple English, answers in seconds." },
  { name: "smollm2-135m", title: "SmolLM2 135M Instruct", bytes: 98_362_432, note: "A real assistant model. Apache-2.0." },
];
const devices = [
  { name: "webgpu", ok: false, why: "This browser has no WebGPU adapter." },
  { name: "simd", ok: true, why: "2 threads, relaxed SIMD." },
  { name: "cpu", ok: true, why: "Plain Go: slow, and right everywhere." },
];
const slots = { id: "slots", label: "Slots", kind: "int", default: "32", min: 1, max: 512, help: "How many positions the prefix takes." };
const axes = [
  { id: "produce", label: "Prefix", choices: [
    { id: "kv", label: "Keys and values", sentence: "Trains keys and values for every layer directly.", default: true, peft: true, settings: [slots] },
    { id: "mlp", label: "Through an MLP", sentence: "A small network makes the keys and values, and is dropped at the end.", peft: true, settings: [slots,
      { id: "hidden", label: "Hidden size", kind: "int", default: "512", min: 8, max: 4096, help: "" },
      { id: "act", label: "Activation", kind: "choice", default: "tanh", options: ["tanh", "gelu"], help: "" }] },
    { id: "conv", label: "Convolution kernel", sentence: "A short causal kernel over the embeddings.", peft: false },
  ] },
  { id: "gate", label: "Gate", choices: [
    { id: "none", label: "None", sentence: "The prefix always counts in full.", default: true, peft: true },
    { id: "zero", label: "Zero-init gate", sentence: "Each head starts without the prefix and learns how much of it to use.", peft: false },
  ] },
  { id: "start", label: "Start", choices: [
    { id: "examples", label: "Whole examples", sentence: "Starts where two examples in the context stand.", default: true, peft: true },
    { id: "text", label: "A text", sentence: "Starts from the keys and values of a text you write.", peft: true,
      settings: [{ id: "text", label: "Text", kind: "text", default: "Describe the plant.", help: "Cut to the prefix's length." }] },
    { id: "gaussian", label: "Random", sentence: "Starts from small random numbers; needs more steps.", peft: true },
  ] },
];

let loaded = null, rows = [], run = null, prefix = false;
const cancelled = new Set();

async function load({ id, bundled = "", hub = "", url = "", files = 0, device }) {
  const model = models.find((m) => m.name === bundled) ?? { title: hub || url || "dropped files", bytes: 50e6 };
  post("state", { state: "loading" });
  if ((hub + url).includes("mamba")) {
    await sleep(80);
    return fail(id, 'models: architecture "mamba" is not supported', "Supported are llama, qwen2, qwen3, gemma3, gpt2, gpt-neox and t5.");
  }
  const parts = model.bytes > 10e6 ? 12 : 3;
  for (let i = 1; i <= parts; i++) {
    await sleep(60);
    if (cancelled.has(id)) return post("state", { state: "idle" });
    post("progress", { id, stage: "reading the weights", done: Math.round(model.bytes * i / parts), total: model.bytes });
  }
  const big = bundled !== "sprout-1m";
  loaded = {
    id, name: bundled || hub || model.title, family: "llama", params: big ? 134_515_008 : 1_148_000, weightBytes: big ? 98_000_000 : 2_300_000,
    context: big ? 8192 : 512, vocab: big ? 49152 : 4096, layers: big ? 30 : 6, chat: big, system: big ? "You are a helpful AI assistant named SmolLM, trained by Hugging Face" : "",
    fingerprint: "f0" + (bundled || hub), device: device === "auto" ? "simd" : device,
    deviceWhy: device === "auto" ? "Fastest of a short trial: 2 threads, relaxed SIMD. This browser has no WebGPU adapter." : "You chose it.",
    notes: big ? ["12 tensors of type Q4_K became Q8_0."] : [],
  };
  post("loaded", loaded);
  post("state", { state: "idle" });
}

function parse(id, name, opts) {
  const lines = rows.text.split("\n").filter((l) => l.trim());
  const errors = [], good = [];
  lines.forEach((line, i) => {
    try {
      const o = JSON.parse(line);
      if (typeof o.prompt !== "string") throw new Error('"prompt" is missing');
      if (typeof o.completion !== "string") throw new Error('"completion" is missing');
      good.push(o);
    } catch (err) {
      errors.push({ line: i + 1, message: err instanceof SyntaxError ? "not JSON: " + err.message : err.message });
    }
  });
  if (!good.length) return fail(id, `${name}: no line holds an example`, "Each line is a JSON object such as {\"prompt\": …, \"completion\": …}.");
  const need = good.some((o) => !o.completion.startsWith(" ")) && !opts.space;
  const system = opts.system ?? loaded.system;
  const wrap = (o) => ({
    prompt: opts.chat ? `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n${o.prompt}<|im_end|>\n<|im_start|>assistant\n` : o.prompt,
    completion: (opts.space && !o.completion.startsWith(" ") ? " " : "") + o.completion, end: opts.chat ? "<|im_end|>" : "<|endoftext|>", tokens: 48,
  });
  const val = Math.max(1, Math.round(good.length * 0.2));
  post("dataset", {
    id, name, shape: "prompt/completion", count: good.length, train: good.length - val, val, prompts: new Set(good.map((o) => o.prompt)).size,
    errors, skipped: opts.skipBad ? errors.length : 0, needSpace: need, preview: good.slice(0, 5).map(wrap), heldOut: good.slice(-3), meanTokens: 47.6, maxTokens: 81,
  });
}

async function train({ id, steps = 0, minutes = 0, lr }) {
  const total = steps || Math.round(minutes * 64);
  run = { paused: false, stop: false };
  post("state", { state: "training" });
  post("progress", { id, stage: "measuring a step", done: 0, total: 0 });
  await sleep(250);
  post("planned", { id, steps: total, stepMillis: 312, peakBytes: 412_000_000, trainable: 737_280, slots: 32, lr: lr || 0.004, recompute: false, notes: ["Started from 2 whole examples: 32 slots."] });
  const base = 3.021, noise = (s) => (Math.sin(s * 12.9898) * 43758.5453 % 1) * 0.35;
  const curve = (s) => 1.47 + 0.95 * Math.exp(-s / (total / 4)) + 0.06 * Math.max(0, s / total - 0.7);
  let best = { step: 0, loss: curve(0) };
  post("eval", { step: 0, loss: best.loss, base, best: true });
  let step = 0, chunk = Math.max(1, Math.round(total / 200));
  while (step < total && !run.stop) {
    await sleep(40);
    if (run.paused) { continue; }
    const first = step + 1, loss = [];
    for (; loss.length < chunk && step < total; step++) loss.push(curve(step) + noise(step));
    post("step", { first, loss, gradNorm: 0.8, lr: 0.004 * (1 - step / total), tokensSec: 1240 + 40 * Math.sin(step), leftSec: (total - step) * 0.312, total });
    if (Math.floor(step / (total / 10)) > Math.floor((step - loss.length) / (total / 10))) {
      const v = curve(step), isBest = v < best.loss;
      if (isBest) best = { step, loss: v };
      post("eval", { step, loss: v, base, best: isBest });
    }
  }
  post("trained", { id, steps: step, bestStep: best.step, bestLoss: best.loss, baseLoss: base, why: run.stop ? "stopped" : "step limit", seconds: step * 0.312 });
  post("state", { state: "idle" });
  prefix = true;
  run = null;
}

async function generate({ id, prompt, base, tuned, maxTokens }) {
  if (prompt.includes("crash")) return fail(0, "worker: panic: runtime error: index out of range [7] with length 7", "Start a new worker: your examples and settings are kept.", true);
  if (prompt.includes("fails")) return fail(id, "generate: the prompt has 9,120 tokens, the context holds 8,192", "Shorten the prompt.");
  const says = {
    base: "name : Fig | kind : tree | light : <b>full sun</b> | water : little | height : 3 m | name : Fig | kind : tree | <img src=x onerror=\"window.pwned=1\"> and so on and so on and so on",
    tuned: " Fig is a tree for full sun that wants little water and grows to 3 m; it fruits best when its roots are cramped.",
  };
  await Promise.all(["base", "tuned"].filter((w) => (w === "base" ? base : tuned)).map(async (which) => {
    const words = says[which].split(/(?<=\s)/).slice(0, maxTokens);
    for (let i = 0; i < words.length; i++) {
      await sleep(25);
      if (cancelled.has(id)) return;
      post("sample", { id, which, text: words[i], done: false, end: false, tokens: i + 1, tokensSec: 38.4 });
    }
    post("sample", { id, which, text: "", done: true, end: which === "tuned", tokens: words.length, tokensSec: 38.4 });
  }));
}

async function importZip({ id, name }, blob) {
  await sleep(60);
  const text = new TextDecoder().decode(blob.slice(0, 200));
  if (!text.startsWith("PK")) return fail(id, `${name}: not a zip file`, "Choose the .zip that an export made.");
  if (text.includes("other")) return fail(id, `${name}: this prefix is of other weights: it wants "tinyllama-1.1b", sprout-1m is loaded`, "Load that model, then import again.");
  prefix = true;
  post("imported", { id, name: name.replace(/\.zip$/, ""), peftType: "PREFIX_TUNING", slots: 32, notes: [] });
}

self.onmessage = async ({ data: { text, blob } }) => {
  const { type, body } = JSON.parse(text);
  switch (type) {
    case "load": return load(body);
    case "data": rows = { text: new TextDecoder().decode(blob), name: body.name }; await sleep(120); return parse(body.id, body.name, body.opts);
    case "reparse": await sleep(60); return parse(body.id, rows.name, body.opts);
    case "train": return train(body);
    case "pause": run.paused = true; return post("state", { state: "paused" });
    case "resume": run.paused = false; return post("state", { state: "training" });
    case "stop": run.stop = true; run.paused = false; return;
    case "generate": return generate(body);
    case "cancel": return cancelled.add(body.id);
    case "export": await sleep(100); return post("exported", { id: body.id, name: body.name, peft: true, note: "float32, 32 slots, with README.md" }, new TextEncoder().encode("PK\x03\x04 fake adapter"));
    case "import": return importZip(body, blob);
    case "dropPrefix": prefix = false; return;
  }
};

setTimeout(() => post("ready", { models, devices, axes }), 50);
