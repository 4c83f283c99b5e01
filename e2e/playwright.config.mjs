import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "@playwright/test";
import { browser } from "./browser.mjs";

const port = process.env.PORT ?? "8123";
// A gallery of its own: the same bytes uploaded twice have no second secret.
const data = join(tmpdir(), `prelude-e2e-${process.pid}`);

export default defineConfig({
  outputDir: "test-results",
  fullyParallel: false,
  workers: 1, // the page trains on every core it gets
  timeout: 90_000,
  expect: { timeout: 20_000 }, // a shared machine is slow now and then
  reporter: [["list"]],
  use: {
    actionTimeout: 30_000,
    locale: "en-US",
    serviceWorkers: "block", // requests that one answers can't be routed; offline.spec.mjs allows it
    baseURL: `http://localhost:${port}`,
    launchOptions: {
      executablePath: browser(),
      args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
  },
  // The built site (`make site`), served as `make run` serves it; with EDGE=1 by the Worker in its own runtime.
  webServer: {
    command: process.env.EDGE ? `make edge PORT=${port} STATE=${data}` : `go run ./wasm/serve -addr :${port} -dir ${process.env.SITE ?? "build/site"} -data ${data}`,
    cwd: "..",
    port: Number(port),
    reuseExistingServer: true,
    timeout: 240_000,
  },
  projects: [
    { name: "ui", testDir: "ui" },
    { name: "engine", testDir: "engine", timeout: 600_000 },
  ],
});
