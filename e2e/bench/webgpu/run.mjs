// Races the WebGPU device against its peers in one Chromium, a fresh page each:
//
//	GOOS=js GOARCH=wasm go build -o build/bench-webgpu.wasm ./e2e/bench/webgpu
//	node e2e/bench/webgpu/run.mjs build/bench-webgpu.wasm [shape …]
//
// On SwiftShader, unless PRELUDE_GPU=1 lets Chromium take the machine's GPU. Prints
// figures as "name value"; a ratio above 1 means that ours is faster.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(path.join(here, "../../package.json"))("playwright-core");
const [program, ...shapes] = process.argv.slice(2);
const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
const special = {
  "/": () => `<!doctype html><script src="wasm_exec.js"></script><script src="driver.js"></script><script src="peers.js"></script>`,
  "/bench.wasm": () => readFile(program),
  "/wasm_exec.js": () => readFile(path.join(goroot, "lib/wasm/wasm_exec.js")),
  "/driver.js": () => readFile(path.join(here, "../../../engine/webgpu/driver.js")),
};
const kinds = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
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
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
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

// Contestants take turns, and the best of each counts: on a machine that others use,
// a median measures the others.
const rounds = Number(process.env.ROUNDS ?? 3), times = Number(process.env.TIMES ?? 3);
const tile = process.env.TILE ? ["-tile", process.env.TILE] : ["-tune"];
const contestants = {
  webgpu: async (shape) => {
    const text = await page(([args]) => ours(args), ["-gemm", shape, "-times", String(times), ...tile]);
    console.log(text.split("\n").filter((l) => l.startsWith("#")).join("\n"));
    return Number(/gemm_\S+ ([\d.]+) s/.exec(text)?.[1]);
  },
};
for (const name of ["jaxjs", "tfjs", "ort"]) {
  contestants[name] = (shape) => page(([n, dims, t]) => peers[n](dims, t), name, shape.split("x").map(Number), times);
}
for (const shape of shapes.length ? shapes : ["1024x1024x1024", "512x1536x576", "512x576x1536", "512x576x576"]) {
  const best = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, race] of Object.entries(contestants)) {
      try {
        best[name] = Math.min(best[name] ?? Infinity, await race(shape));
      } catch (err) {
        console.log(`# ${name} at ${shape}: ${String(err.message).split("\n")[0]}`);
      }
    }
  }
  for (const [name, s] of Object.entries(best)) {
    console.log(`${name}_gemm_${shape} ${s.toFixed(5)} s`);
    if (name !== "webgpu") console.log(`webgpu_gemm_vs_${name}_${shape} ${(s / best.webgpu).toFixed(2)} ratio`);
  }
}
server.close();
