// What a prefix changed and where it acts, with the real engine.
import { ask, expect, out, start, test, useSample } from "./page.mjs";

const sizes = [[360, 780], [768, 1024], [1440, 900]];

/** Pictures of a part of the page at every size, light and dark. */
async function pictures(page, selector, name) {
  for (const [width, height] of sizes) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.locator(selector).screenshot({ path: `${out}${name}-${width}-${colorScheme}.png` });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(wide, `${width} px: beyond the window`).toBeLessThanOrEqual(0);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
}

test("an answer token by token, and where the attention went", async ({ page }) => {
  await useSample(page);
  await start(page, 40, { batch: 4 });
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 400_000 });
  const prompt = await page.locator("#prompt").inputValue();
  const answer = await ask(page, prompt);
  await page.locator("#answer-tuned").getByText("What changed?").click();
  await expect(page).toHaveURL(/#lens$/);
  await expect(page.locator("#lens-summary")).toContainText("likelier", { timeout: 60_000 });
  const tokens = page.locator("#tokens .tok");
  const text = (await tokens.allTextContents()).join("").replaceAll("·", " ").replaceAll("↵", "\n");
  expect(text).toContain(answer.trim());
  await expect(page.locator("#rivals tbody tr")).toHaveCount(10);

  // Pointer and keyboard choose a token; all that stands below follows.
  await tokens.first().click();
  await expect(page.locator("#lens-token")).toContainText("Token 1 of");
  const before = await page.locator("#rivals").textContent();
  await tokens.nth(2).hover();
  await expect(page.locator("#lens-token")).toContainText("Token 3 of");
  await page.locator("#lens-prompt").hover(); // away: the chosen one again
  await expect(page.locator("#lens-token")).toContainText("Token 1 of");
  await page.locator("#tokens").focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator("#lens-token")).toContainText("Token 2 of");
  expect(await page.locator("#rivals").textContent()).not.toBe(before);
  await expect(page.locator("#token-1")).toHaveAttribute("aria-selected", "true");

  await expect(page.locator("#heatmap tbody tr")).toHaveCount(5);
  await expect(page.locator("#heatmap tbody td.heat")).toHaveCount(20);
  await expect(page.locator("#slots tbody tr")).toHaveCount(10);
  await page.click("#slots-answer");
  await page.click("#all-slots");
  expect(await page.locator("#slots tbody tr").count()).toBeGreaterThan(10);
  await pictures(page, "#lens", "lens");

  // An answer of sixty tokens that nobody gave.
  await page.fill("#lens-answer", " the desk is made of oak and stands by the window of the old house".repeat(6));
  const begun = await page.evaluate(() => performance.now());
  await page.click("#look");
  await expect(page.locator("#tokens .tok").nth(59)).toBeVisible({ timeout: 30_000 });
  const took = await page.evaluate((t) => performance.now() - t, begun);
  console.log(`looking at ${await tokens.count()} tokens took ${Math.round(took)} ms; ${await page.locator("#lens-took").textContent()}`);
  const map = Number((await page.locator("#lens-took").textContent()).replace(/[^0-9]/g, ""));
  expect(map, "ms for the attention").toBeLessThan(2000); // half a second on a machine of its own
  await page.fill("#lens-answer", "<b>markup</b> is text");
  await page.click("#look");
  await expect(page.locator("#tokens")).toContainText("markup");
  await expect(page.locator("#tokens b")).toHaveCount(0);
});

test("what a prefix is made of, and what it says when it is changed", async ({ page }) => {
  await useSample(page);
  for (const n of [1, 2]) {
    await start(page, 20 * n, { batch: 4 });
    await expect(page.locator("#shelf .shelf-row")).toHaveCount(n, { timeout: 120_000 });
    await expect(page.locator("#start")).toHaveText("Train again", { timeout: 400_000 });
  }
  await page.locator("#shelf-2").getByRole("link", { name: /^See what is in/ }).click();
  await expect(page).toHaveURL(/#lens$/);
  await page.click("#what-is > summary");
  await expect(page.locator("#made tbody tr").first()).toBeVisible({ timeout: 60_000 });
  await expect(page.locator("#made")).toContainText("Started as");
  await expect(page.locator("#layer-drift tbody tr")).toHaveCount(5);
  await expect(page.locator("#plane circle")).toHaveCount(4); // two prefixes and their starts
  await pictures(page, "#what-is", "lens-is");

  await page.click("#what-if > summary");
  const now = page.locator("#what-now");
  const settled = () => expect(page.locator("#what-now.streaming")).toHaveCount(0, { timeout: 60_000 });
  await expect(page.locator("#what-trained")).not.toHaveText("…", { timeout: 60_000 });
  await settled();
  const trained = await page.locator("#what-trained").textContent();
  await expect(now).toHaveText(trained);

  // By the keyboard from 1 to 0: without its prefix it answers as the base model.
  await page.locator("#what-scale").focus();
  for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowLeft");
  await expect(page.locator("#what-scale-say")).toContainText("no prefix");
  await settled();
  const without = await now.textContent();
  expect(without).not.toBe(trained);
  await page.click("#what-undo");
  await settled();
  await expect(now).toHaveText(trained);
  for (const layer of await page.locator("#what-layers button").all()) await layer.click();
  await settled();
  await expect(now).toHaveText(without);
  await page.click("#what-undo");
  await page.click("#what-slot-3");
  await expect(page.locator("#what-slot-3")).toHaveAttribute("aria-pressed", "false");
  await settled();
  await page.click("#what-undo");
  if (await page.locator("#what-with").count()) {
    await page.selectOption("#what-with", "1");
    await page.locator("#what-share").fill("100");
    await settled();
  }
  await pictures(page, "#what-if", "lens-if");
});
