// Without a network, after a first visit.
import { expect, openPage, start, test as base } from "./page.mjs";

base.use({ serviceWorkers: "allow" });

base("after a first visit the page works without a network", async ({ page, context }) => {
  base.setTimeout(300_000);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null, null, { timeout: 60_000 });
  await context.setOffline(true);
  await openPage(page);
  await expect(page.locator("#data-facts")).toContainText("100", { timeout: 60_000 });
  expect(await page.evaluate(() => globalThis.crossOriginIsolated), "threads need the headers, kept with the files").toBe(true);
  await start(page, 4);
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 200_000 });
});
