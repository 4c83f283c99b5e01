// The page in Firefox: it opens, trains its sample, answers, and its chat goes on. By WebDriver
// BiDi, on the distribution's Firefox ESR (FIREFOX names another), since Playwright drives only a
// Firefox of its own:
//
//	node firefox/smoke.mjs [http://localhost:8080]
//
// Without an address it serves build/site itself. It prints what this Firefox has of what the
// page uses where there is any, and ends with an error where the page does not work.
import { spawn, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import puppeteer from "puppeteer-core";

const executablePath = process.env.FIREFOX ?? spawnSync("which", ["firefox-esr", "firefox"], { encoding: "utf8" }).stdout.split("\n")[0];
if (!executablePath) {
  console.log("Firefox is not here, so it is not tested: install the package firefox-esr, or name one by FIREFOX");
  process.exit(0);
}
const port = process.env.PORT ?? "8154";
const address = process.argv[2] ?? `http://localhost:${port}`;
let server;
if (!process.argv[2]) {
  const cwd = new URL("../../", import.meta.url);
  spawnSync("go", ["build", "-o", "build/serve", "./wasm/serve"], { cwd, stdio: "inherit" });
  server = spawn("build/serve", ["-addr", `127.0.0.1:${port}`, "-dir", "build/site", "-data", `${tmpdir()}/prelude-firefox-${process.pid}`], { cwd, stdio: "ignore" });
  for (let up = false; !up; await new Promise((later) => setTimeout(later, 100))) up = await fetch(address).then((r) => r.ok, () => false);
}
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1440, height: 900 });
  const trouble = [];
  page.on("pageerror", (err) => trouble.push(String(err)));
  page.on("console", (m) => { if (m.type() === "error") trouble.push(m.text()); });
  const begun = Date.now();
  const told = (what) => console.log(`${what} after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  const until = (f, timeout = 120_000, ...args) => page.waitForFunction(f, { timeout, polling: 200 }, ...args);
  await page.goto(address);
  const has = await page.evaluate(() => ({
    version: /Firefox\/[\d.]+/.exec(navigator.userAgent)?.[0],
    webgpu: "gpu" in navigator,
    threads: crossOriginIsolated && typeof SharedArrayBuffer === "function",
    // One function of one relaxed instruction, i8x16.relaxed_swizzle.
    relaxedSimd: WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11])),
    storage: typeof navigator.storage?.getDirectory === "function",
    serviceWorker: "serviceWorker" in navigator,
  }));
  console.log(JSON.stringify(has));
  await until(() => document.querySelector("#start:enabled") && document.querySelector("#data-facts"));
  told("the model and the sample are there");
  console.log(await page.$eval("#chip-device", (x) => x.textContent));
  await page.click("#start");
  await until(() => document.querySelector(".live-answer.tuned .changed"));
  told("the first answer has changed");
  await page.click("#stop");
  await until(() => document.querySelector("#summary")?.textContent.includes("Ended after"));
  told(await page.$eval("#summary", (x) => x.textContent));
  await page.click("#next a[href='#compare']");
  await page.waitForSelector("#ask");
  await page.click("#ask");
  await until(() => document.querySelector("#answer-tuned footer .tag"));
  const answer = await page.$eval("#answer-tuned .answer-text", (x) => x.textContent.trim());
  if (!answer) throw new Error("the tuned model says nothing");
  told(`it answers “${answer}”`);
  if (trouble.length) throw new Error(`errors of the page:\n${trouble.join("\n")}`);
} finally {
  await browser.close();
  server?.kill();
}
