// Nothing jumps as the page opens; nothing jumps and nothing stalls while it trains. What else the machine does makes tasks
// longer: the best of three stretches counts.
import { test as unopened } from "@playwright/test";
import { watchSmoothness } from "../bench/smooth.mjs";
import { expect, openPage, start, test, useSample } from "./page.mjs";

const viewports = [{ width: 1440, height: 900 }, { width: 360, height: 780 }];

unopened("no layout shift while it opens, nor while it opens again", async ({ page }) => {
  await page.addInitScript(watchSmoothness);
  await page.addInitScript(() => smooth.begin());
  for (const viewport of [...viewports, viewports[0]]) {
    await page.setViewportSize(viewport);
    await page.goto("/");
    await expect(page.locator("#start")).toBeEnabled({ timeout: 60_000 });
    await expect(page.locator("#data-facts")).toBeVisible();
    await page.waitForTimeout(500);
    const { shift, what } = await page.evaluate(() => smooth.end());
    expect(shift, `at ${viewport.width} px, what shifted: ${what}`).toBe(0);
  }
});

for (const viewport of viewports) {
  test(`no layout shift, and no task that stalls, while it trains at ${viewport.width} px`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await page.addInitScript(watchSmoothness);
    await openPage(page, "/");
    await useSample(page);
    await start(page, 5000, { patience: "0" });
    await expect(page.locator("#tiles dd").first()).toContainText(/^[1-9]/, { timeout: 120_000 });
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.waitForTimeout(1000); // a shift within half a second of a press is the press's
    const tasks = [];
    for (let i = 0; i < 3; i++) {
      await page.evaluate(() => smooth.begin());
      await page.waitForTimeout(5000);
      const { shift, what, task } = await page.evaluate(() => smooth.end());
      expect(shift, `what shifted: ${what}`).toBe(0);
      tasks.push(task);
    }
    console.log(`longest task of the page's thread: ${tasks.map((t) => t.toFixed(0)).join(", ")} ms`);
    expect(Math.min(...tasks)).toBeLessThan(100); // 50 are wanted, and none is as long on a quiet machine
  });
}
