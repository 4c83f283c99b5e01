// A sitting stays in the browser: what dies with its process goes on as if nothing had been.
// KILLS says how often the browser is killed (3; the full measure is 20).
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, expect, test } from "@playwright/test";
import { lastRun, start } from "./page.mjs";

const kills = Number(process.env.KILLS ?? 3);
const steps = Number(process.env.KILL_STEPS ?? 100);

/** The command lines of all processes, where the system has them as files. */
function processes() {
  if (!existsSync("/proc/self/cmdline")) return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return ""; // it has ended
    }
  });
}

/** A browser of its own, whose process can be killed and whose profile stays. */
class Browser {
  constructor(options) {
    this.options = options;
    this.profile = mkdtempSync(join(tmpdir(), "prelude-kept-"));
  }

  async open(url) {
    rmSync(join(this.profile, "DevToolsActivePort"), { force: true });
    this.process = spawn(this.options.executablePath, [...this.options.args, "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${this.profile}`, "about:blank"], { stdio: "ignore" });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    const file = join(this.profile, "DevToolsActivePort");
    await expect.poll(() => existsSync(file) && readFileSync(file, "utf8").split("\n").length > 1, { timeout: 60_000 }).toBe(true);
    const [port] = readFileSync(file, "utf8").split("\n");
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { timeout: 60_000 });
    this.page = await browser.contexts()[0].newPage();
    this.page.setDefaultTimeout(120_000);
    await this.page.goto(`${url}#all`);
    return this.page;
  }

  /**
   * Kills the browser's process, and waits for its others, which end by themselves: while one of
   * them holds the storage, Chromium gives the next browser an empty one.
   */
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
    await expect.poll(() => processes().some((line) => line.includes(this.profile)), { timeout: 20_000 }).toBe(false);
  }

  async close() {
    if (this.process) await this.kill();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

const ready = (page) => expect(page.locator(".rows .row .tag.ok").first()).toBeVisible({ timeout: 120_000 });
const ended = (page) => expect(page.locator("#summary")).toContainText("Ended after", { timeout: 600_000 });

test.describe.configure({ mode: "serial" });

test("a training that dies with the browser goes on exactly", async ({ launchOptions, baseURL }) => {
  test.setTimeout(600_000 + kills * 300_000);
  const browser = new Browser(launchOptions);
  try {
    let page = await browser.open(baseURL);
    await ready(page);
    const sample = page.locator("#use-sample"); // the page opens with it
    if (await sample.count()) await sample.click();
    await expect(page.locator("#data-facts")).toBeVisible({ timeout: 60_000 });
    const begun = Date.now();
    await start(page, steps, { patience: "0" }); // to the last step
    await ended(page);
    const took = Date.now() - begun;
    await expect.poll(async () => (await lastRun(page))?.done?.steps).toBe(steps);
    const whole = await lastRun(page);
    expect(whole.losses).toHaveLength(steps);

    let exact = 0;
    for (let i = 0; i < kills; i++) {
      await start(page, steps, { patience: "0" }); // to the last step
      await expect.poll(async () => (await lastRun(page))?.n, { timeout: 60_000 }).toBe(whole.n + 1 + i); // it is under way
      await page.waitForTimeout(Math.random() * took * 0.95);
      await browser.kill();
      page = await browser.open(baseURL);
      await ready(page);
      // Everything is there: the examples, their options, the settings, the runs before.
      await expect(page.locator("#data-facts")).toBeVisible({ timeout: 60_000 });
      await expect(page.locator("#train-for")).toHaveValue(String(steps));
      const at = await lastRun(page);
      if (at.done) { // it was faster than its killer: a finished run is there, and whole
        expect(at.losses).toEqual(whole.losses);
        exact++;
        continue;
      }
      await expect(page.locator("#cut")).toBeVisible();
      await page.click("#continue");
      await ended(page);
      await expect.poll(async () => (await lastRun(page))?.done?.steps, { timeout: 60_000 }).toBe(steps);
      const run = await lastRun(page);
      expect(run.n).toBe(whole.n + 1 + i);
      expect(run.losses, `killed ${JSON.stringify(at.saved)} after ${at.losses?.length ?? 0} steps`).toEqual(whole.losses);
      expect(run.evals).toEqual(whole.evals);
      exact++;
      console.log(`killed at step ${at.losses?.length ?? 0}, continued from ${at.saved?.at(-1)?.step ?? 0}: exact`);
    }
    console.log(`exact_continuations ${exact} of ${kills}`);
    await expect(page.locator("#shelf .shelf-row")).toHaveCount(kills + 1); // no finished run is lost, none has two
  } finally {
    await browser.close();
  }
});
