// What the tests do to the page's programs from outside: the scripts that the page loads
// are served with a few lines in front.
import { expect } from "@playwright/test";

/** Serves a script of the page (by the beginning of its name) with lines in front. */
export async function inFront(page, script, lines) {
  await page.route(new RegExp(`/${script}\\.[^/]*js`), async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: lines + "\n" + (await response.text()) });
  });
}

/** Notes when the threads of the SIMD device are given work and when they answer; see workedOn. */
export async function watchThreads(page) {
  await inFront(page, "worker", `{
    const word = new BroadcastChannel("threads"), Plain = self.Worker;
    self.Worker = class extends Plain {
      constructor(...args) {
        super(...args);
        this.addEventListener("message", () => word.postMessage({ end: Date.now() }));
      }
      postMessage(...args) {
        word.postMessage({ begin: Date.now() });
        super.postMessage(...args);
      }
    };
  }`);
  await page.addInitScript(() => {
    globalThis.threads = [];
    globalThis.clicks = [];
    new BroadcastChannel("threads").onmessage = (e) => threads.push(e.data);
    document.addEventListener("click", () => clicks.push(Date.now()), true);
  });
}

/** How long threads went on working after the last click, in ms: Infinity where they still do. */
export async function workedOn(page) {
  return page.evaluate(async () => {
    const click = clicks.at(-1);
    await new Promise((later) => setTimeout(later, 1000));
    const begun = threads.filter((t) => t.begin), ended = threads.filter((t) => t.end);
    if (begun.length < 10) throw new Error("the threads were not watched");
    if (begun.length > ended.length) return Infinity;
    return Math.max(0, ...threads.map((t) => (t.begin ?? t.end) - click));
  });
}

/** Lets the test end a thread of the SIMD device: page.evaluate(() => endThread()). */
export async function mortalThreads(page) {
  await inFront(page, "worker", `{
    const threads = [], Plain = self.Worker;
    self.Worker = class extends Plain { constructor(...args) { super(...args); threads.push(this); } };
    new BroadcastChannel("end a thread").onmessage = () => threads.forEach((thread) => thread.terminate());
  }`);
  await page.addInitScript(() => {
    globalThis.endThread = () => new BroadcastChannel("end a thread").postMessage(0);
  });
}

/** The steps that the curve and its sentence show have each come once, in order. */
export async function curveIsWhole(page, steps) {
  await expect(page.locator("#summary")).toContainText(`Ended after ${steps} steps`, { timeout: 300_000 });
  const xs = await page.locator("#chart path.raw, #chart path.smooth").evaluateAll((paths) =>
    paths.map((p) => [...p.getAttribute("d").matchAll(/[ML]\s*([\d.]+)/g)].map((m) => Number(m[1]))));
  for (const x of xs) for (let i = 1; i < x.length; i++) expect(x[i]).toBeGreaterThan(x[i - 1]);
}
