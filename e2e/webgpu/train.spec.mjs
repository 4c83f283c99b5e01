// The Go tests of the WebGPU device, in Chromium: ten steps of training a prefix
// follow the reference, and a device that is taken away is told apart.
import { test, expect } from "@playwright/test";
import { browser } from "../browser.mjs";
import { createServer } from "node:http";
import { readFile, mkdtemp } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");

test.use({ launchOptions: {
  executablePath: browser(),
  args: ["--no-sandbox", "--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader"],
} });

test("a prefix trains on the WebGPU device in Chromium", async ({ page }) => {
  test.setTimeout(300_000);
  const program = path.join(await mkdtemp(path.join(os.tmpdir(), "webgpu-")), "test.wasm");
  execFileSync("go", ["test", "-c", "-o", program, "./engine/webgpu"], { cwd: root, env: { ...process.env, GOOS: "js", GOARCH: "wasm" } });
  const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  /** @type {Record<string, [string, () => string | Promise<Buffer>]>} */
  const files = {
    "/": ["text/html", () => `<!doctype html><script src="wasm_exec.js"></script><script src="driver.js"></script>`],
    "/wasm_exec.js": ["text/javascript", () => readFile(path.join(goroot, "lib/wasm/wasm_exec.js"))],
    "/driver.js": ["text/javascript", () => readFile(path.join(root, "engine/webgpu/driver.js"))],
    "/test.wasm": ["application/wasm", () => readFile(program)],
  };
  const server = createServer(async (request, response) => {
    const [type, body] = files[request.url] ?? ["text/plain", () => ""];
    // The page's own policy: no eval, no inline script.
    response.writeHead(200, { "content-type": type, "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" }).end(await body());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  try {
    const lines = [];
    page.on("console", (message) => lines.push(message.text()));
    const violations = [];
    page.on("pageerror", (err) => violations.push(err.message));
    await page.goto(`http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}/`);
    const code = await page.evaluate(async () => {
      const go = new Go();
      go.argv = ["webgpu.test", "-test.v", "-test.run", "TestTrajectory|TestLost|TestBrokenShader|TestPause|TestManyRuns"];
      go.env = { PRELUDE_NEED_WEBGPU: "1", PRELUDE_STEPS: "200" };
      const ended = new Promise((resolve) => { go.exit = resolve; });
      const { instance } = await WebAssembly.instantiateStreaming(fetch("/test.wasm"), go.importObject);
      await go.run(instance);
      return ended;
    });
    expect(code, lines.join("\n")).toBe(0);
    expect(lines.join("\n")).toContain("--- PASS: TestTrajectory");
    expect(violations).toEqual([]);
  } finally {
    server.close();
  }
});
