// A text is studied and learned, with the real engine.
import { readFileSync } from "node:fs";
import { expect, out, start, test } from "./page.mjs";
import { unzip } from "./zip.mjs";

test("a dropped text becomes a cartridge", async ({ page }) => {
  test.setTimeout(600_000);
  const text = readFileSync(new URL("../study/mill.md", import.meta.url));
  await page.locator("#data-file").setInputFiles({ name: "mill.md", mimeType: "text/markdown", buffer: text });
  await expect(page.locator("#study-plan")).toContainText("Writing takes about", { timeout: 120_000 });

  // It pauses and stops within 200 ms of a token; what is written stays.
  await page.fill("#conversations", "2000");
  await page.click("#write");
  await expect(page.locator("#write-note")).toContainText("of 2,000 written", { timeout: 120_000 });
  await page.click("#write-pause");
  await expect(page.locator("#write-resume")).toBeVisible({ timeout: 10_000 });
  await page.click("#write-resume");
  await page.click("#write-stop");
  await expect(page.locator("#write")).toHaveText("Write more", { timeout: 30_000 });
  const count = Number((await page.locator("#write-note").textContent()).match(/^([\d,]+) question/)[1].replace(",", ""));
  expect(count).toBeGreaterThan(0);
  if (count < 12) {
    await page.fill("#conversations", "12");
    await page.click("#write");
    await expect(page.locator("#write")).toHaveText("All written", { timeout: 120_000 });
  }

  await page.fill("#text-slots", "24");
  await start(page, 20, { batch: 4 });
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 300_000 });
  const [prefix, neither] = (await page.locator("#summary").textContent()).match(/\d+\.\d+/g).map(Number);
  console.log(`difference from the text in context: prefix ${prefix}, neither ${neither}`);
  expect(prefix).toBeLessThan(neither);
  await page.screenshot({ path: `${out}engine-study.png`, fullPage: true });

  const saving = page.waitForEvent("download");
  await page.click("#export");
  const files = unzip(readFileSync(await (await saving).path()));
  const config = JSON.parse(files.get([...files.keys()].find((n) => n.endsWith("adapter_config.json"))));
  expect(config).toMatchObject({ peft_type: "CARTRIDGE", num_frozen_tokens: 1, num_virtual_tokens: 24 });
});
