// Models that people bring. Fetched from a host, which the tests play, they are kept: what
// breaks off goes on, what is whole needs no network, and what is deleted is gone.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "./page.mjs";

const wren = new URL("../../static/models/prelude-wren/", import.meta.url);
const names = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
const files = new Map(names.map((name) => [name, readFileSync(new URL(name, wren))]));
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const cors = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*", "Access-Control-Expose-Headers": "*" };

/** Plays huggingface.co with one model. */
class Hub {
  breakAt = 0; // of the weights: nothing comes beyond this byte
  down = false;
  sum = sha256(files.get("model.safetensors"));
  asked = [];

  async on(page) {
    await page.route("https://huggingface.co/**", (route) => this.answer(route));
    return this;
  }

  answer(route) {
    const path = new URL(route.request().url()).pathname;
    const name = path.split("/").at(-1);
    const range = route.request().headers().range ?? "";
    this.asked.push(`${name} ${range}`);
    if (this.down) return route.abort("internetdisconnected");
    if (path === "/api/models/prelude/wren/tree/main") {
      return route.fulfill({ headers: cors, json: [{ type: "file", path: "config.json" }, { type: "file", path: "model.safetensors", lfs: { oid: this.sum } }] });
    }
    const data = path.startsWith("/prelude/wren/resolve/main/") ? files.get(name) : undefined;
    if (!data) return route.fulfill({ status: 404, headers: cors, body: "" });
    const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
    const to = this.breakAt && name === "model.safetensors" ? this.breakAt : data.length;
    if (from >= to) return route.abort("connectionreset");
    return route.fulfill({
      status: 206, body: data.subarray(from, to),
      headers: { ...cors, ETag: '"wren-1"', "Content-Range": `bytes ${from}-${data.length - 1}/${data.length}`, "Content-Type": "application/octet-stream" },
    });
  }
}

const row = (page) => page.locator("#kept .row").filter({ hasText: "prelude/wren" });

async function fetchModel(page) {
  if (!(await page.locator("#model-address").isVisible())) await page.click("#own-model > summary");
  await page.fill("#model-address", "prelude/wren");
  await page.getByRole("button", { name: "Fetch" }).first().click();
}

async function reload(page) {
  await page.reload();
  await expect(page.locator("#model-facts")).toBeVisible({ timeout: 60_000 });
}

test("a fetched model goes on where it broke off, and is kept until it is deleted", async ({ page }) => {
  const hub = await new Hub().on(page);
  hub.breakAt = 1_700_000;
  await fetchModel(page);
  await expect(page.locator(".notice")).toContainText("it goes on from there", { timeout: 60_000 });
  await expect(row(page)).toContainText("Interrupted after 1.2");
  await expect(page.locator("#model-facts")).toHaveCount(0); // it has pushed out the one before
  await page.screenshot({ path: new URL("../out/fetched-broken.png", import.meta.url).pathname, fullPage: true });

  hub.breakAt = 0;
  hub.asked = [];
  await reload(page);
  await page.getByRole("button", { name: "Continue prelude/wren" }).click();
  await expect(row(page).locator(".tag.ok")).toBeVisible({ timeout: 60_000 });
  expect(hub.asked.filter((a) => a.startsWith("model.safetensors"))).toEqual(["model.safetensors bytes=1048576-"]);
  await expect(row(page)).toContainText("Loads without the network");
  await expect(page.locator("#kept")).toContainText(/This browser (keeps them until you delete them|may delete them when its disk fills up)\./);

  hub.down = true;
  hub.asked = [];
  await page.waitForTimeout(1000); // what has changed is kept 0.2 s after it
  await reload(page); // it is the sitting's model: it loads by itself
  await expect(row(page).locator(".tag.ok")).toBeVisible({ timeout: 60_000 });
  expect(hub.asked).toEqual([]);
  await page.screenshot({ path: new URL("../out/fetched-kept.png", import.meta.url).pathname, fullPage: true });

  await page.getByRole("button", { name: "Delete prelude/wren" }).click();
  await expect(page.locator("#kept")).toHaveCount(0);
  await expect(page.locator("#model-facts")).toBeVisible(); // it stays loaded
  await page.reload(); // the sitting's model is gone, and its host does not answer: said, and the page goes on
  await expect(page.locator("section[aria-labelledby=h-model] .notice")).toContainText("can't be fetched", { timeout: 60_000 });
  await expect(page.locator("#kept")).toHaveCount(0);
  await page.getByRole("button", { name: "Load prelude-wren" }).click();
  await expect(page.locator("#model-facts")).toBeVisible({ timeout: 60_000 });
});

test("a fetched file that is not what its host says is refused", async ({ page }) => {
  const hub = await new Hub().on(page);
  hub.sum = sha256("something else");
  await fetchModel(page);
  await expect(page.locator(".notice")).toContainText(/model\.safetensors has sha256 [0-9a-f]{64} as it arrived, its host says/, { timeout: 60_000 });
  await expect(page.locator("#kept")).toHaveCount(0);
});

test("a model that there is no room to keep is loaded all the same", async ({ page, context }) => {
  await new Hub().on(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin, quotaSize: 1_500_000 });
  await fetchModel(page);
  await expect(page.locator("#model-facts")).toContainText("loaded but not kept", { timeout: 60_000 });
  await expect(page.locator("#model-facts")).toContainText("Delete fetched models that you don’t need");
  await page.screenshot({ path: new URL("../out/fetched-full.png", import.meta.url).pathname, fullPage: true });
});

test("a model is dropped as the files it has", async ({ page }) => {
  await page.click("#own-model > summary");
  await page.locator("#model-files").setInputFiles(names.map((name) => ({ name, mimeType: "application/octet-stream", buffer: files.get(name) })));
  await expect(page.locator("#chip-model")).toContainText("your model", { timeout: 60_000 });
  await page.fill("#prompt", "The");
  await page.click("#ask");
  await expect(page.locator("#answer-base footer .tag")).toBeVisible({ timeout: 60_000 });
  await expect(page.locator("#kept")).toHaveCount(0);
});
