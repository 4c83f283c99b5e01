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
