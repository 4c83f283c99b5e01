import { defineConfig } from "@playwright/test";

// Needs no built site: the test serves what it runs.
export default defineConfig({ testDir: ".", testMatch: "*.spec.mjs", outputDir: "../test-results/webgpu", reporter: [["list"]], workers: 1 });
