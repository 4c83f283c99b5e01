import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "@playwright/test";
import { browser } from "../browser.mjs";

// Chromium with WebGPU on a software adapter. train.spec.mjs serves what it runs;
// page.spec.mjs is about the built site (`make site`).
const port = process.env.PORT ?? "8124";

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.mjs",
  outputDir: "../test-results/webgpu",
  reporter: [["list"]],
  workers: 1,
  timeout: 600_000,
  expect: { timeout: 20_000 },
  use: {
    baseURL: `http://localhost:${port}`,
    launchOptions: {
      executablePath: browser(),
      args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader"],
    },
  },
  webServer: {
    command: `go run ./wasm/serve -addr :${port} -dir ${process.env.SITE ?? "build/site"} -data ${join(tmpdir(), `prelude-webgpu-${process.pid}`)}`,
    cwd: "../..",
    port: Number(port),
    reuseExistingServer: true,
    timeout: 240_000,
  },
});
