// A prefix saved as a page: one file, opened from the disk with the network cut.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ask, expect, start, test, useSample } from "./page.mjs";
import { unzip } from "./zip.mjs";

/** Trains for some steps under a name, and saves the page. */
async function save(page, name, steps = 4) {
  await start(page, steps);
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 300_000 });
  await page.fill("#prefix-name", name);
  const saving = page.waitForEvent("download", { timeout: 120_000 });
  await page.click("#save-page");
  const download = await saving;
  return { name: download.suggestedFilename(), path: await download.path() };
}

/** Opens a file of the disk in a browser without a network; what it asks for or refuses is kept. */
async function openFile(browser, path) {
  const context = await browser.newContext();
  await context.setOffline(true);
  const page = await context.newPage();
  const trouble = [], asked = [];
  page.on("pageerror", (err) => trouble.push(String(err)));
  page.on("console", (m) => { if (m.type() === "error") trouble.push(m.text()); });
  page.on("request", (r) => asked.push(r.url()));
  const begun = Date.now();
  await page.goto(pathToFileURL(path).href, { waitUntil: "commit" });
  return { page, context, trouble, asked, begun };
}

test("a page of one file answers from the disk, offline", async ({ page, browser }) => {
  await useSample(page);
  const evil = `<img src=x onerror="document.title='pwned'">`;
  const { name, path } = await save(page, evil);
  expect(name).toMatch(/\.html$/);
  const prompt = await page.locator("#prompt").inputValue();
  const said = await ask(page, prompt);

  const dir = mkdtempSync(join(tmpdir(), "prelude-page-"));
  try {
    const html = readFileSync(path);
    const file = join(dir, "saved.html");
    writeFileSync(file, html);
    const saved = await openFile(browser, file);
    await saved.page.fill("#prompt", `${prompt}`);
    await saved.page.click("#ask");
    await expect(saved.page.locator(".tuned").first()).not.toHaveText("", { timeout: 60_000 });
    const first = Date.now() - saved.begun;
    console.log(`onepage_bytes ${html.length} onepage_first_token ${first} ms`);
    await expect(saved.page.locator("#ask")).toBeVisible({ timeout: 60_000 });
    expect((await saved.page.locator(".tuned").first().textContent()).trim()).toBe(said.trim());
    // The name stays text, here and in the head.
    await expect(saved.page.locator("h1")).toHaveText(evil);
    expect(await saved.page.title()).toBe(evil);
    await saved.page.fill("#prompt", evil);
    await saved.page.check("#both");
    await saved.page.click("#ask");
    await expect(saved.page.locator("#ask")).toBeVisible({ timeout: 60_000 });
    await expect(saved.page.locator("li")).toHaveCount(2);
    expect(await saved.page.locator("img").count()).toBe(0);
    expect(saved.asked.filter((url) => !/^(file|blob):/.test(url))).toEqual([]);
    expect(saved.trouble).toEqual([]);
    // Its policy allows no connection.
    expect(await saved.page.evaluate(() => fetch("data:,x").then(() => "fetched", () => "refused"))).toBe("refused");
    await saved.context.close();

    // One that was cut off says so.
    writeFileSync(file, html.subarray(0, html.length / 2));
    const cut = await openFile(browser, file);
    await expect(cut.page.locator("#state")).toContainText("not whole", { timeout: 60_000 });
    await cut.context.close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("a larger model becomes a folder that opens from the disk", async ({ page, browser }) => {
  const row = page.locator(".rows .row", { hasText: "SmolLM2" });
  test.skip(!(await row.count()), "SmolLM2 is not here: make models fetches it");
  await row.getByRole("button", { name: /^Load/ }).click();
  await expect(row.locator(".tag.ok")).toBeVisible({ timeout: 120_000 });
  await useSample(page);
  const { name, path } = await save(page, "Desks", 1);
  expect(name).toBe("Desks page.zip");
  const dir = mkdtempSync(join(tmpdir(), "prelude-folder-"));
  try {
    for (const [inside, content] of unzip(readFileSync(path))) writeFileSync(join(dir, inside), content);
    const saved = await openFile(browser, join(dir, "index.html"));
    await saved.page.fill("#prompt", await page.locator("#prompt").inputValue());
    await saved.page.click("#ask");
    await expect(saved.page.locator(".tuned").first()).not.toHaveText("", { timeout: 120_000 });
    console.log(`onepage_folder_first_token ${Date.now() - saved.begun} ms`);
    expect(saved.trouble).toEqual([]);
    await saved.context.close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
