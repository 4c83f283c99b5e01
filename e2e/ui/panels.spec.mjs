// Panels one at a time, as people meet them, with the fake worker.
import { accessible } from "./access.mjs";
import { expect, test, trainFor, useSample } from "./page.mjs";

const link = (page, id) => page.locator(`nav[aria-label=Sections] a[href="#${id}"]`);

test.beforeEach(async ({ page }) => {
  await page.goto("about:blank");
  await page.goto("/");
  await expect(page.locator("#model-facts")).toBeVisible();
});

test("each panel has an address, and a training goes on behind it", async ({ page }) => {
  await expect(page.locator("#compare, #runs, #method, #papers, #share, #lens")).toHaveCount(0);
  await useSample(page);
  await trainFor(page, "60000");
  await page.click("#start");
  await expect(page.locator("#tiles")).toContainText("of 60,000");
  for (const id of ["method", "runs", "compare", "lens", "export-prefix", "share", "papers"]) {
    await link(page, id).click();
    await expect(page).toHaveURL(new RegExp(`#${id}$`));
    await expect(page.locator(`#${id}`)).toBeVisible();
    await expect(page.locator(".bench")).toHaveCount(0);
    await expect(page.locator(`#${id} h2`).first()).toBeFocused();
    await expect(link(page, id)).toHaveAttribute("aria-current", "page");
    await expect(page).toHaveTitle(/ · Prelude$/);
    expect(await page.evaluate(() => [scrollY, document.documentElement.scrollWidth - document.documentElement.clientWidth])).toEqual([0, 0]);
    if (id === "method") await accessible(page, "panel"); // the others are looked at together, on one page
    if (id === "compare") await page.fill("#prompt", "What is a fig?");
  }
  for (let i = 0; i < 4; i++) await page.goBack();
  await expect(page.locator("#prompt")).toHaveValue("What is a fig?");
  await page.click("#chip-run"); // what runs leads to where it is seen
  await expect(page).toHaveURL(/#train$/);
  await page.click("#stop");
  await expect(page.locator("#summary")).toContainText("Ended after");
  await page.locator("#next").getByText("See what it changed").click();
  await expect(page.locator("#look")).toBeVisible();
});

test("on a phone the row of links shows the one that leads to what is shown", async ({ page }) => {
  const seen = (id) => link(page, id).evaluate((a) => {
    const [box, row] = [a.getBoundingClientRect(), a.parentElement.getBoundingClientRect()];
    return box.left >= row.left - 1 && box.right <= row.right + 1 && scrollX === 0 && scrollY === 0;
  });
  await page.setViewportSize({ width: 360, height: 780 });
  expect(await seen("papers"), "the row is longer than the window").toBe(false);
  for (const id of ["papers", "method", "export-prefix"]) { // as links elsewhere on the page lead there
    await page.evaluate((to) => { location.hash = to; }, id);
    await expect.poll(() => seen(id), id).toBe(true);
  }
  await page.goBack();
  await expect(link(page, "method")).toHaveAttribute("aria-current", "page");
  await expect.poll(() => seen("method")).toBe(true);
  await page.goto("about:blank");
  await page.goto("/#papers"); // a link from outside
  await expect(page.locator("#papers")).toBeVisible();
  await expect.poll(() => seen("papers")).toBe(true);
});

test("nonsense in the address, all panels on one page, and a message of a panel that is not shown", async ({ page }) => {
  await page.evaluate(() => { location.hash = '#"><img src=x onerror=alert(1)>'; });
  await expect(page.locator("#start")).toBeVisible();
  await page.click("#other-view");
  await expect(page.locator("#compare, #runs, #method, #papers, #share, #lens")).toHaveCount(6);
  await link(page, "lens").click(); // a place on the same page
  await expect(page.locator("#compare")).toBeVisible();
  await page.click("#other-view");
  await expect(page.locator("#compare")).toHaveCount(0);
  await link(page, "compare").click();
  await page.fill("#prompt", "crash");
  await page.click("#ask");
  await link(page, "papers").click();
  await expect(page.getByRole("button", { name: "Start a new worker" })).toBeVisible();
});
