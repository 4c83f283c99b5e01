// Runs a Go program that was compiled to js/wasm in Node, with WebGPU from the npm
// package "webgpu" (Dawn's bindings) and the device's driver loaded:
//
//	GOOS=js GOARCH=wasm go test -exec "node $PWD/e2e/webgpu/exec.cjs" ./engine/webgpu
//
// On a machine without a GPU it uses SwiftShader, which comes with Chromium; the
// folder is looked for, or named by PRELUDE_SWIFTSHADER. PRELUDE_GPU=1 leaves the
// choice of adapter to Vulkan. Where a part is missing the program runs all the
// same and is told why there is no WebGPU (globalThis.preludeNoWebGPU).
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { execFileSync, spawn } = require("node:child_process");
const { pathToFileURL } = require("node:url");

const icd = "vk_swiftshader_icd.json";

function swiftShader() {
  const homes = [process.env.PRELUDE_SWIFTSHADER, path.dirname(process.env.CHROMIUM ?? "."), "/usr/lib/chromium", "/usr/lib64/chromium-browser", "/usr/lib/chromium-browser",
    "/opt/google/chrome", "/snap/chromium/current/usr/lib/chromium-browser"];
  const cache = process.env.PLAYWRIGHT_BROWSERS_PATH ?? path.join(require("node:os").homedir(), ".cache/ms-playwright");
  if (fs.existsSync(cache)) {
    for (const name of fs.readdirSync(cache)) homes.push(path.join(cache, name, "chrome-linux"), path.join(cache, name, "chrome-linux64"));
  }
  return homes.find((dir) => dir && fs.existsSync(path.join(dir, icd)));
}

// The loader reads its environment when a process starts: begin again with it set.
if (!process.env.PRELUDE_CHILD) {
  /** @type {Record<string, string>} */
  const env = { ...process.env, PRELUDE_CHILD: "1" };
  const dir = process.env.PRELUDE_GPU ? undefined : swiftShader();
  if (dir) {
    env.VK_ICD_FILENAMES = path.join(dir, icd);
    env.LD_LIBRARY_PATH = [dir, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  } else if (!process.env.PRELUDE_GPU) {
    env.PRELUDE_NO_ADAPTER = "SwiftShader was not found (it comes with Chromium; PRELUDE_SWIFTSHADER names its folder)";
  }
  const child = spawn(process.execPath, ["--expose-gc", ...process.execArgv, __filename, ...process.argv.slice(2)], { env, stdio: "inherit" });
  child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
} else {
  main().catch((err) => { console.error(err); process.exit(1); });
}

async function webgpu() {
  if (process.env.PRELUDE_NO_ADAPTER) return process.env.PRELUDE_NO_ADAPTER;
  let entry;
  try {
    entry = require.resolve("webgpu", { paths: [__dirname, process.cwd(), ...(process.env.NODE_PATH ?? "").split(":")].filter(Boolean) });
  } catch {
    return 'the npm package "webgpu" is not installed';
  }
  const { create, globals } = await import(pathToFileURL(entry).href);
  Object.assign(globalThis, globals);
  globalThis.navigator ??= /** @type {Navigator} */ ({});
  Object.defineProperty(globalThis.navigator, "gpu", { value: create([]), configurable: true });
  return "";
}

async function main() {
  const why = await webgpu();
  if (why) globalThis.preludeNoWebGPU = why;
  const root = path.join(__dirname, "../..");
  require(path.join(root, "engine/webgpu/driver.js"));

  // What follows is Go's own lib/wasm/wasm_exec_node.js.
  globalThis.require = require;
  globalThis.fs = fs;
  globalThis.path = path;
  const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  require(path.join(goroot, "lib/wasm/wasm_exec.js"));
  const go = new Go();
  go.argv = process.argv.slice(2);
  const keep = /^(PRELUDE_|HOME$|PATH$|GO|PWD$)/;
  go.env = Object.fromEntries(Object.entries(process.env).filter(([name]) => keep.test(name)));
  go.env.TMPDIR = require("node:os").tmpdir();
  go.exit = process.exit;
  process.on("unhandledRejection", (err) => { console.error("unhandled rejection:", err); process.exit(3); });
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(process.argv[2]), go.importObject);
  process.on("exit", (code) => {
    if (code === 0 && !go.exited) { // a deadlock: let Go print its stacks
      go._pendingEvent = { id: 0 };
      go._resume();
    }
  });
  await go.run(instance);
}
