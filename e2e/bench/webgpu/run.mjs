// Races the WebGPU device against its peers in one Chromium, a fresh page each:
//
//	node e2e/bench/webgpu/run.mjs [MxNxK | step] …
//
// On SwiftShader, unless PRELUDE_GPU=1 lets Chromium take the machine's GPU. Prints
// "name value unit"; a ratio above 1 means that ours is faster. ROUNDS, TIMES and BATCH
// (examples of 128 tokens in a step) make it shorter or longer;
// TILE=WX,WY,TM,TN,BK,scalar,half skips the tuner, PEERS=jaxjs,tfjs,ort chooses opponents,
// PROFILE=1 times a step kernel by kernel.
import { createServer } from "node:http";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { browser } from "../../browser.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(path.join(here, "../../package.json"))("playwright-core");
const wanted = process.argv.slice(2);
const folder = await mkdtemp(path.join(os.tmpdir(), "bench-webgpu-"));
const program = path.join(folder, "bench.wasm");
execFileSync("go", ["build", "-o", program, "."], { cwd: here, env: { ...process.env, GOOS: "js", GOARCH: "wasm" } });
const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
const special = {
  "/": () => `<!doctype html><script src="wasm_exec.js"></script><script src="driver.js"></script><script src="peers.js"></script>`,
  "/bench.wasm": () => readFile(program),
  "/wasm_exec.js": () => readFile(path.join(goroot, "lib/wasm/wasm_exec.js")),
  "/jax-decoder.mjs": () => readFile(path.join(here, "../jax-decoder.mjs")),
  "/driver.js": () => readFile(path.join(here, "../../../engine/webgpu/driver.js")),
};
const kinds = { ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".wasm": "application/wasm" };
const server = createServer(async (request, response) => {
  const name = new URL(request.url, "http://x").pathname;
  try {
    const body = await (special[name] ? special[name]() : readFile(path.join(here, path.normalize(name))));
    response.writeHead(200, { "content-type": kinds[path.extname(name)] ?? "text/html" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const options = {
  executablePath: browser(),
  args: ["--no-sandbox", "--enable-unsafe-webgpu", "--enable-features=Vulkan", ...(process.env.PRELUDE_GPU ? [] : ["--use-webgpu-adapter=swiftshader"])],
};

// A browser of its own for each: one whose GPU process dies takes no other with it.
async function page(f, ...args) {
  const browser = await chromium.launch(options);
  try {
    const p = await browser.newPage();
    p.setDefaultTimeout(0);
    await p.goto(`http://127.0.0.1:${server.address().port}/`);
    return await p.evaluate(f, args);
  } finally {
    await browser.close();
  }
}

const rounds = Number(process.env.ROUNDS ?? 2), times = Number(process.env.TIMES ?? 2), batch = Number(process.env.BATCH ?? 4);
const tile = process.env.TILE ? ["-tile", process.env.TILE] : ["-tune"];
if (process.env.PROFILE) tile.push("-profile");

// ours runs the Go program and gives the figure whose name begins so.
async function ours(figure, ...args) {
  const text = await page(([all]) => ours(all), [...args, "-times", String(times), ...tile]);
  for (const line of text.split("\n")) if (line.startsWith("#") || line.includes("dispatch")) console.log(line);
  const found = new RegExp(`^${figure}\\S* ([\\d.e-]+) s`, "m").exec(text);
  if (!found) throw new Error(text);
  return Number(found[1]);
}

// Contestants take turns, and the best of each counts: on a machine that others use,
// a median measures the others.
async function race(what, contestants) {
  const best = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      try {
        best[name] = Math.min(best[name] ?? Infinity, await run());
      } catch (err) {
        console.log(`# ${name}, ${what}: ${String(err.message).trim().split("\n").at(-1)}`);
      }
    }
  }
  for (const [name, s] of Object.entries(best)) {
    console.log(`${name}_${what} ${s.toFixed(5)} s`);
    if (name !== "webgpu") console.log(`webgpu_${what.replace(/_|$/, `_vs_${name}$&`)} ${(s / best.webgpu).toFixed(2)} ratio`);
  }
}

for (const what of wanted.length ? wanted : ["1024x1024x1024", "512x1536x576", "512x576x1536", "512x576x576", "step"]) {
  if (what === "step") {
    await race("step", {
      webgpu: () => ours("step_", "-step", "small", "-batch", String(batch)),
      jaxjs: () => page(([n, b]) => peers.jaxjsStep(n, b), times, batch),
    });
    continue;
  }
  const contestants = { webgpu: () => ours("gemm_", "-gemm", what) };
  for (const name of (process.env.PEERS ?? "jaxjs,tfjs,ort").split(",")) {
    contestants[name] = () => page(([peer, dims, t]) => peers[peer](dims, t), name, what.split("x").map(Number), times);
  }
  await race("gemm_" + what, contestants);
}
server.close();
await rm(folder, { recursive: true });
