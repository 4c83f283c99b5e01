// The whole way with the real engine: examples in, a prefix out, and in again.
import { readFileSync } from "node:fs";
import { ask, expect, openData, openFresh, openPage, out, start, test } from "./page.mjs";
import { unzip, zip } from "./zip.mjs";

test("a person tunes a prefix, takes it home and brings it back", async ({ page }) => {
  test.setTimeout(900_000);
  await page.screenshot({ path: `${out}engine-1-before.png`, fullPage: true });
  await openData(page);
  await start(page, 60);
  await expect(page.locator("#tiles dd").first()).toContainText(/^\d+of 60/, { timeout: 120_000 });

  // Pause and stop act within 200 ms; the page adds at most one drawing.
  await page.click("#pause");
  await expect(page.locator("#resume")).toBeVisible({ timeout: 5_000 });
  await page.screenshot({ path: `${out}engine-2-during.png`, fullPage: true });
  await page.click("#resume");

  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 800_000 });
  const from = Number((await page.locator("#tiles").textContent()).match(/from (\d+\.\d+)/)[1]);
  const best = Number((await page.locator("#summary").textContent()).match(/loss (\d+\.\d+)/)[1]);
  console.log(`validation loss ${from} → ${best}: ${(100 * (1 - best / from)).toFixed(0)} % below its start`);
  expect(best).toBeLessThan(0.85 * from);

  const prompt = await page.locator("#prompt").inputValue();
  expect(prompt).not.toBe("");
  const said = await ask(page, prompt);
  expect(said.trim()).not.toBe("");
  const saving = page.waitForEvent("download");
  await page.click("#export");
  const file = await (await saving).path();
  const adapter = readFileSync(file);
  await page.screenshot({ path: `${out}engine-3-after.png`, fullPage: true });

  const files = unzip(adapter);
  const config = JSON.parse(files.get([...files.keys()].find((n) => n.endsWith("adapter_config.json"))));
  expect(config).toMatchObject({ peft_type: "PREFIX_TUNING", task_type: "CAUSAL_LM", inference_mode: true, num_transformer_submodules: 1 });

  await openFresh(page);
  const bring = (name, buffer) => page.locator("#import-file").setInputFiles({ name, mimeType: "application/zip", buffer });

  // The same shapes, other weights: refused by the fingerprint.
  const card = [...files.keys()].find((n) => n.endsWith("prelude.json"));
  const other = JSON.parse(files.get(card));
  other.model.fingerprint = other.model.fingerprint.replace(/[0-9a-f]/g, (c) => (c === "0" ? "1" : "0"));
  other.model.sketch = other.model.sketch.map((x) => 2 * x); // else it is the same in another precision
  other.model.name = "another-model";
  await bring("other.zip", zip(new Map(files).set(card, Buffer.from(JSON.stringify(other)))));
  await expect(page.locator(".notice")).toContainText("another-model");
  await expect(page.locator("#prefix-row")).toContainText("No prefix yet");

  // A tab that is closed as soon as the prefix is shown has kept it.
  await bring("mine.zip", adapter);
  await expect(page.locator("#shelf .shelf-row")).toHaveCount(1);
  const context = page.context();
  await page.close();
  const again = await context.newPage();
  await openPage(again);
  await expect(again.locator("#prefix-row")).toContainText("Prefix in use");
  expect(await ask(again, prompt)).toBe(said);
});

test("bad input is named, and nothing is lost", async ({ page }) => {
  await openData(page);
  const count = await page.locator("#data-facts dd").first().textContent();
  const box = page.locator("#data-file");
  const replace = async () => { if (await page.locator("#data-replace").count()) await page.click("#data-replace"); };
  const good = '{"prompt": "a", "completion": " b"}\n{"prompt": "c", "completion": " d"}\n';
  const refused = async (name, buffer, says) => {
    await box.setInputFiles({ name, mimeType: "application/json", buffer });
    await replace();
    await expect(page.locator(".notice"), name).toContainText(says);
    await expect(page.locator("#data-facts dd").first(), name).toHaveText(count); // what was there stays
  };
  await refused("empty.jsonl", Buffer.alloc(0), "empty");
  // 100 MB is more than a test may hand to a file box at once: made in the page.
  const big = await page.evaluateHandle(() => {
    const t = new DataTransfer();
    t.items.add(new File(Array.from({ length: 100 }, () => new Uint8Array(1_000_000)), "big.jsonl"));
    return t;
  });
  await page.evaluate((t) => {
    /** @type {HTMLInputElement} */
    const input = document.querySelector("#data-file");
    input.files = t.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, big);
  await replace();
  await expect(page.locator(".notice")).toContainText("big.jsonl is 100");
  await expect(page.locator("#data-facts dd").first()).toHaveText(count);
  await refused("noise.jsonl", Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)), "noise.jsonl");

  // Nothing but errors: the first is named, and the examples before stay.
  await refused("prose.jsonl", Buffer.from("Dear all,\nthis is no data set.\n"), "line 1");
  await expect(page.locator("#start")).toBeEnabled();

  // A Parquet table is read by a worker of its own; a damaged one is named.
  const table = readFileSync(new URL("../../wasm/tune/testdata/hub.parquet", import.meta.url));
  await refused("broken.parquet", table.subarray(0, table.length - 9), "broken.parquet can’t be read as a Parquet table");
  await box.setInputFiles([{ name: "hub.parquet", mimeType: "application/octet-stream", buffer: table }, { name: "more.jsonl", mimeType: "application/json", buffer: Buffer.from(good) }]);
  await replace();
  await expect(page.locator("#data-parts")).toHaveText("hub.parquet: 3, more.jsonl: 2");
  await expect(page.locator("#data-facts dd").first()).toHaveText("5");
  await expect(page.locator("#preview")).toContainText(/positive|negative/);

  // Unknown columns are asked about.
  await box.setInputFiles({ name: "keys.jsonl", mimeType: "application/json", buffer: Buffer.from('{"frage": "a", "antwort": "b"}\n{"frage": "c", "antwort": "d"}\n') });
  await replace();
  await expect(page.locator("#columns")).toContainText("frage");
  await page.click("#columns-use");
  await expect(page.locator("#data-facts dd").first()).toHaveText("2");

  await box.setInputFiles({ name: "mixed.jsonl", mimeType: "application/json", buffer: Buffer.from(good + '{"prompt": "only"}\nnot json\n' + good.replace('"a"', '"e"').replace('"c"', '"f"')) });
  await replace();
  await expect(page.locator("#line-errors")).toContainText("line 3");
  await expect(page.locator("#line-errors")).toContainText("line 4");
  await page.getByRole("button", { name: "Skip these 2 lines" }).click();
  await expect(page.locator("#line-errors")).toContainText("left out");

  await page.locator("#import-file").setInputFiles({ name: "a.zip", mimeType: "application/zip", buffer: Buffer.from("no zip at all") });
  await expect(page.locator("section[aria-labelledby=h-home] .notice")).toBeVisible();
});

test("a prefix is published on a press, and tried by its link", async ({ page, context }) => {
  await openData(page);
  await start(page, 5);
  await expect(page.locator("#summary")).toContainText("Ended after", { timeout: 300_000 });
  const prompt = await page.locator("#prompt").inputValue();
  const said = await ask(page, prompt);
  const posts = [];
  page.on("request", (r) => { if (r.method() !== "GET") posts.push(`${r.method()} ${new URL(r.url()).pathname}`); });
  await page.fill("#share-task", "restaurants");
  await page.fill("#share-about", "One sentence about a restaurant, from its properties.");
  await page.click("#share-draft");
  await expect(page.locator("#share-review")).toContainText("restaurants");
  expect(posts).toEqual([]);
  await page.click("#publish");
  const link = await page.locator("#share-link").textContent();
  expect(posts).toEqual(["POST /api/prefixes"]);

  const other = await context.newPage();
  await other.goto(link);
  await expect(other.locator("#shelf .shelf-row")).toHaveCount(1, { timeout: 120_000 });
  expect(await ask(other, prompt)).toBe(said);
  await other.click('nav a[href="#share"]');
  await other.click("#gallery > summary");
  await expect(other.locator("#gallery .row").first()).toContainText("restaurants");

  await page.click("#unpublish");
  await expect(page.locator("#published")).toHaveCount(0);
  await other.goto("about:blank");
  await other.goto(link);
  await expect(other.locator(".notice")).toContainText("can’t be loaded");
});
