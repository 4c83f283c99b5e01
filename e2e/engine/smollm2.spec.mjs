// SmolLM2-135M, the real model, in the page: `make models` gets it.
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { watchThreads, workedOn } from "./faults.mjs";
import { ask, openPage, out, read, start } from "./page.mjs";
import { unzip } from "./zip.mjs";

test.afterEach(({ page }) => page.unrouteAll({ behavior: "ignoreErrors" }));

/** Loads the model with this title, or skips the test where the page has none such. */
async function load(page, title) {
  await openPage(page);
  const row = page.locator(".rows .row").filter({ hasText: title });
  test.skip(await row.count() === 0, `${title} is not among the page's models: "make models" gets it from PyPI`);
  const button = row.getByRole("button", { name: /^Load/ });
  if (await button.isVisible()) await button.click();
  await expect(row.locator(".tag.ok")).toBeVisible({ timeout: 120_000 });
}

/** Gives the page a few examples. */
async function useFew(page, n) {
  const lines = Array.from({ length: n }, (_, i) => JSON.stringify({ prompt: `name : The Mill ${i} | food : tea`, completion: ` The Mill ${i} serves tea.` }));
  await page.locator("#data-file").setInputFiles({ name: "few.jsonl", mimeType: "application/json", buffer: Buffer.from(lines.join("\n")) });
  await read(page, "few.jsonl");
}

test("SmolLM2 is loaded, trained for a few steps, asked and exported", async ({ page }) => {
  await load(page, "SmolLM2");
  await expect(page.locator("#model-facts")).toContainText("135M");
  await useFew(page, 8);
  await start(page, 4, { batch: 2 });
  await expect(page.locator("#summary")).toContainText("Ended after 4 steps", { timeout: 400_000 });
  const said = await ask(page, "name : The Mill 99 | food : tea");
  expect(said.trim()).not.toBe("");
  const saving = page.waitForEvent("download");
  await page.click("#export");
  const files = unzip(readFileSync(await (await saving).path()));
  const config = JSON.parse(files.get([...files.keys()].find((n) => n.endsWith("adapter_config.json"))));
  expect(config).toMatchObject({ peft_type: "PREFIX_TUNING", num_layers: 30, num_attention_heads: 3, token_dim: 192 });
  await page.screenshot({ path: `${out}smollm2.png`, fullPage: true });
});

// What acts is measured at the threads: from the click until the last one rests. The
// shortest of three counts, since the machine has other things to do.
for (const title of ["prelude-wren", "SmolLM2"]) {
  test(`pause and stop act within 200 ms on ${title}`, async ({ page }) => {
    await watchThreads(page);
    await load(page, title);
    test.skip(await page.evaluate(() => navigator.hardwareConcurrency) < 2, "there is one processor: no threads to watch");
    await useFew(page, 16);
    const took = [];
    await start(page, 1000, { batch: 8, patience: "0" });
    for (let i = 0; i < 3; i++) {
      await expect(page.locator("#tiles dd").first()).toContainText(/^\d+of 1,000/, { timeout: 300_000 });
      await page.waitForTimeout(700);
      await page.click("#pause");
      took.push(await workedOn(page));
      await page.click("#resume");
    }
    console.log(`${title}: a pause acts after ${took.join(", ")} ms`);
    expect(Math.min(...took)).toBeLessThanOrEqual(200);
    await page.waitForTimeout(700);
    // A stop ends with a validation, so that what was learned is kept.
    const clicked = Date.now();
    await page.click("#stop");
    await expect(page.locator("#summary")).toContainText("stopped", { timeout: 60_000 });
    const stopped = Date.now() - clicked;
    console.log(`${title}: a stop has its result after ${stopped} ms`);
    expect(stopped).toBeLessThanOrEqual(title === "SmolLM2" ? 5_000 : 2_000); // a step and a validation of five examples
  });
}
