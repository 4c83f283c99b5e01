// What the page's policy holds whatever its programs do: nothing goes to another host but by
// the frame of a host that a person has asked something of, and no text becomes a script.
import { expect, test } from "./page.mjs";

test("the policy keeps the page to its own server", async ({ page }) => {
  const asked = [];
  await page.route(/^https:/, (route) => {
    asked.push(route.request().url());
    return route.fulfill({ body: "{}", headers: { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" } });
  });
  const tried = () => page.evaluate(async () => {
    const fetched = (address) => fetch(address).then(() => "fetched", () => "refused");
    const frame = document.querySelector("iframe");
    const inFrame = (address) => new Promise((resolve) => {
      if (!frame) return resolve("no frame");
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => resolve(data.failed ? "refused" : "fetched");
      frame.contentWindow.postMessage({ address, headers: {} }, location.origin, [port2]);
    });
    const threw = (f) => { try { f(); return "done"; } catch { return "refused"; } };
    return {
      fetch: await fetched("https://example.com/leak"),
      beacon: navigator.sendBeacon("https://example.com/leak", "x"),
      socket: threw(() => new WebSocket("wss://example.com/leak")),
      frame: await inFrame("https://huggingface.co/api"),
      other: await inFrame("https://example.com/leak"),
      markup: threw(() => { document.createElement("p").innerHTML = "<b>x</b>"; }),
      script: threw(() => { document.createElement("script").src = "https://example.com/x.js"; }),
      worker: threw(() => new Worker("https://example.com/x.js")),
      code: await new Promise((resolve) => { // in a turn of the page's own: an evaluation by the debugger may make code
        addEventListener("securitypolicyviolation", () => resolve("refused"), { once: true });
        setTimeout(() => { try { setTimeout("resolve()"); new Function("return 1"); resolve("done"); } catch { resolve("refused"); } }, 20);
      }),
    };
  });
  const before = await tried();
  expect(before).toMatchObject({ fetch: "refused", frame: "no frame", other: "no frame", markup: "refused", script: "refused", worker: "refused", code: "refused" });
  expect(asked).toEqual([]);
  // A person asks for a model of the hub: its frame may fetch from there and nowhere else.
  await page.click("#own-model > summary");
  await page.fill("#model-address", "owner/name");
  await page.getByRole("button", { name: "Fetch" }).first().click();
  await expect(page.locator(".notice").first()).toBeVisible({ timeout: 60_000 });
  const after = await tried();
  expect(after).toMatchObject({ fetch: "refused", frame: "fetched", other: "refused" });
  expect(asked.every((url) => url.startsWith("https://huggingface.co/"))).toBe(true);
  expect(asked.length).toBeGreaterThan(0);
});

test("examples come from an address, from its host alone and once the person agrees", async ({ page }) => {
  const asked = [];
  await page.route(/^https:/, (route) => {
    asked.push(route.request().url());
    const open = { "Access-Control-Allow-Origin": "*" };
    if (route.request().url().endsWith("away.jsonl")) return route.fulfill({ status: 302, headers: { ...open, Location: "https://elsewhere.example/a.jsonl" } });
    return route.fulfill({ body: '{"prompt": "fern", "completion": " green"}\n'.repeat(5), headers: open, contentType: "text/plain" });
  });
  await page.click("#data-link > summary");
  await page.fill("#data-address", "https://example.com/ferns.jsonl");
  await page.click("#data-fetch");
  await expect(page.locator("#ask-link")).toContainText("Fetch ferns.jsonl from example.com?");
  expect(asked).toEqual([]);
  await page.click("#link-yes");
  await expect(page.locator("#data-row")).toContainText("ferns.jsonl");
  expect(asked).toEqual(["https://example.com/ferns.jsonl"]);
  await page.fill("#data-address", "https://example.com/away.jsonl");
  await page.click("#data-fetch");
  await expect(page.locator(".notice").first()).toContainText("CORS");
  expect(asked.slice(1)).toEqual(["https://example.com/away.jsonl"]);
});
