// The page with the fake worker in place of the engine.
import { readFileSync } from "node:fs";
import { expect, test as base } from "@playwright/test";

const fake = readFileSync(new URL("../fake/worker.js", import.meta.url), "utf8");

export const test = base.extend({
  page: async ({ page }, use) => {
    const trouble = [];
    page.on("pageerror", (err) => trouble.push(String(err)));
    page.on("console", (m) => { if (m.type() === "error") trouble.push(m.text()); });
    const headers = { "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Resource-Policy": "same-origin" };
    await page.route(/\/worker\.[^/]*js/, (route) => route.fulfill({ body: fake, contentType: "text/javascript", headers }));
    // An empty module in the engine's place: nothing here runs it.
    const empty = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    await page.route(/\/worker\.[^/]*wasm/, (route) => route.fulfill({ body: empty, contentType: "application/wasm", headers }));
    await page.goto("/#all"); // all panels below each other
    await expect(page.locator("#model-facts")).toBeVisible();
    await use(page);
    expect(trouble, "errors on the console").toEqual([]);
  },
});
export { expect };

export const out = new URL("../out/", import.meta.url).pathname;

/** @type {{ name: string, width: number, colorScheme: "light" | "dark" }[]} */
const looks = [
  { name: "1440-light", width: 1440, colorScheme: "light" },
  { name: "1440-dark", width: 1440, colorScheme: "dark" },
  { name: "360-light", width: 360, colorScheme: "light" },
  { name: "360-dark", width: 360, colorScheme: "dark" },
];

/**
 * Shows a state of the page on desk and phone, light and dark, takes a picture of each
 * (e2e/out/LOOK-STATE.png; of one part if a selector is given) and holds that nothing sticks
 * out sideways. also is called in each look.
 */
export async function everyLook(page, state, { part = "", also = async () => {} } = {}) {
  for (const { name, width, colorScheme } of looks) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const path = `${out}${name}-${state}.png`;
    if (part) await page.locator(part).screenshot({ path });
    else {
      await page.evaluate(() => window.scrollTo(0, 0));
      await page.screenshot({ path, fullPage: true });
    }
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(over, `${state}, ${name}: nothing sticks out sideways`).toBe(0);
    await also();
  }
  await page.setViewportSize({ width: looks[0].width, height: 900 });
  await page.emulateMedia({ colorScheme: looks[0].colorScheme });
}

/** Takes the project's sample data set, which the page opens with. */
export async function useSample(page) {
  const button = page.locator("#use-sample");
  // The page takes it by itself where it opens slowly, and the button goes.
  if (await button.count()) await button.click({ timeout: 2000 }).catch((err) => console.log(`not pressed: ${err.name}`));
  await expect(page.locator("#data-facts")).toContainText("100");
}

/** Drops text as a file of examples, in the place of a person's own that may be there. */
export async function openText(page, name, text) {
  const asked = !await page.locator("#data-row", { hasText: "desks.jsonl" }).count() && await page.locator("#data-row").count();
  await page.locator("#data-file").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  if (asked) await page.click("#data-replace");
}

/** Sets the training's length in steps, once the box shows steps. */
export async function trainFor(page, steps) {
  const unit = page.getByRole("button", { name: "steps", exact: true });
  await unit.click();
  await expect(unit).toHaveAttribute("aria-pressed", "true");
  await page.fill("#train-for", steps);
}

/** Trains to the end. */
export async function train(page, steps = "120") {
  await trainFor(page, steps);
  await page.click("#start");
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 20_000 });
}

