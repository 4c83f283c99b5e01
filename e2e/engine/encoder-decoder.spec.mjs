// The bundled encoder-decoder in the page: loaded, tuned on the sample, asked.
import { readFileSync } from "node:fs";
import { ask, expect, out, start, test, useSample } from "./page.mjs";
import { unzip } from "./zip.mjs";

test("an encoder-decoder is tuned and asked", async ({ page }) => {
  test.setTimeout(120_000);
  await expect(page.locator("#axis-sites"), "a decoder-only model has one kind of attention").toHaveCount(0);
  const row = page.locator(".rows .row").filter({ hasText: "prelude-lark" });
  await expect(row).toContainText("encoder-decoder");
  await row.getByRole("button", { name: /^Load/ }).click();
  await expect(row.locator(".tag.ok")).toBeVisible({ timeout: 60_000 });
  // What it can't have is shown with the reason, and can't be chosen.
  await expect(page.locator('[id="preset-4.2"]')).toBeDisabled();
  await expect(page.locator('[id="preset-4.2"]')).toContainText("Not with this model: made for decoder-only models.");
  await expect(page.locator('[id="preset-li-liang"]')).toBeEnabled();
  await expect(page.locator("#no-text")).toContainText("an encoder-decoder can't ask itself questions");
  await expect(page.locator("#instruction")).toHaveCount(0);
  await useSample(page);
  await expect(page.locator("#data-facts")).toBeVisible();
  await expect(page.locator("#space-offer"), "an answer of its own needs no space before it").toHaveCount(0);

  // Where the prefix stands: three switches, all on at first.
  const axis = page.locator("#axis-sites");
  await expect(axis.locator(".axis-choice")).toHaveText("Encoder, Decoder, Cross-attention");
  await axis.locator("summary").click();
  await axis.getByRole("switch", { name: "Cross-attention" }).uncheck({ force: true });
  await expect(axis.locator(".axis-choice")).toHaveText("Encoder, Decoder");
  await page.locator("#method").screenshot({ path: `${out}engine-encoder-decoder.png` });
  await axis.getByRole("switch", { name: "Cross-attention" }).check({ force: true });

  await start(page, 6, { batch: 4 });
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 90_000 });
  const from = Number((await page.locator("#tiles").textContent()).match(/from (\d+\.\d+)/)[1]);
  const best = Number((await page.locator("#summary").textContent()).match(/loss (\d+\.\d+)/)[1]);
  expect(best).toBeLessThan(from);
  expect((await ask(page, await page.locator("#prompt").inputValue())).trim()).not.toBe("");

  // PEFT holds less than three kinds of attention, and the page says so.
  const saving = page.waitForEvent("download");
  await page.click("#export");
  const files = unzip(readFileSync(await (await saving).path()));
  const card = JSON.parse(files.get([...files.keys()].find((n) => n.endsWith("prelude.json"))));
  expect(card.noPeft).toContain("decoder's self-attention alone");
  expect(card.model).toMatchObject({ family: "t5", layers: 2, encLayers: 2 });
});
