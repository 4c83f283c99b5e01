// Models from strangers, with chat templates and tokenizers that ask for all the time or
// memory there is: each is refused or done within 5 s and 500 MB, and the page answers after.
// HOSTILE says how many templates of those that models/chat/hostile_test.go lists are tried,
// spread over the list (16; all are 70). That test tries all of them, natively and in Node.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, useSample } from "./page.mjs";

const root = new URL("../../", import.meta.url).pathname;
const wren = new URL("../../static/models/prelude-wren/", import.meta.url);
const file = (name) => ({ name, mimeType: "application/octet-stream", buffer: readFileSync(new URL(name, wren)) });
const seconds = 5, megabytes = 500;

/** A kind with the files that it is.
 * @returns {[string, { name: string, mimeType: string, buffer: Buffer }[]]} */
const hostile = (kind, files) => [kind, files];

/** The templates of the Go test, by kind. */
function templates() {
  const dir = mkdtempSync(join(tmpdir(), "prelude-hostile-"));
  try {
    const out = join(dir, "kinds.json");
    execFileSync("go", ["test", "-count=1", "-run", "^TestHostile$", "./models/chat"], { cwd: root, env: { ...process.env, HOSTILE_OUT: out } });
    return Object.entries(JSON.parse(readFileSync(out, "utf8")));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Tokenizers that grow, nest or claim without end, made of the model's own. */
function tokenizers() {
  const good = JSON.parse(file("tokenizer.json").buffer.toString());
  // As text: what nests so deep JSON.stringify can't write.
  const nested = (depth, type, key, inside) => ({ text: `{"type":"${type}","${key}":[`.repeat(depth) + JSON.stringify(inside) + "]}".repeat(depth) });
  const replace = (from, to) => ({ type: "Replace", pattern: { String: from }, content: to });
  const special = { id: "x", ids: [0], tokens: ["x"] };
  const made = {
    "replaces that double": { normalizer: { type: "Sequence", normalizers: Array.from({ length: 60 }, () => replace("e", "ee")) } },
    "a replace of nothing": { normalizer: replace("", "x".repeat(1000)) },
    "a replace of a megabyte": { normalizer: { type: "Sequence", normalizers: Array.from({ length: 40 }, () => replace("a", "a".repeat(100_000))) } },
    "nested normalizers": { normalizer: nested(20_000, "Sequence", "normalizers", replace("a", "b")) },
    "nested pre-tokenizers": { pre_tokenizer: nested(20_000, "Sequence", "pretokenizers", good.pre_tokenizer) },
    "nested decoders": { decoder: nested(20_000, "Sequence", "decoders", good.decoder) },
    "nested processors": { post_processor: nested(20_000, "Sequence", "processors", { type: "ByteLevel" }) },
    "a long template": { post_processor: { type: "TemplateProcessing", single: Array.from({ length: 200_000 }, () => ({ SpecialToken: { id: "x", type_id: 0 } })), pair: [], special_tokens: { x: special } } },
    "templates in templates": { post_processor: { type: "Sequence", processors: Array.from({ length: 5_000 }, () => ({ type: "TemplateProcessing", single: [{ SpecialToken: { id: "x", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }], pair: [], special_tokens: { x: special } })) } },
    "an expression that backtracks": { pre_tokenizer: { type: "Split", pattern: { Regex: "(a+)+$" }, behavior: "Isolated", invert: false } },
    "an expression of a megabyte": { pre_tokenizer: { type: "Split", pattern: { Regex: "a?".repeat(500_000) }, behavior: "Isolated", invert: false } },
    "repeats of repeats": { pre_tokenizer: { type: "Split", pattern: { Regex: "((a{1000}){1000}){1000}" }, behavior: "Isolated", invert: false } },
    "an id past all others": { added_tokens: [...good.added_tokens, { id: 2_000_000_000, content: "y", special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }] },
    "many added tokens": { added_tokens: [...good.added_tokens, ...Array.from({ length: 100_000 }, (_, i) => ({ id: 10_000 + i, content: `t${i}`, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }))] },
    "an endless token": { added_tokens: [...good.added_tokens, { id: 3072, content: "y".repeat(5_000_000), special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }] },
    "a merge of nothing": { model: { ...good.model, merges: Array.from({ length: 100_000 }, () => ["", ""]) } },
  };
  return Object.entries(made).map(([kind, change]) => {
    const [part] = Object.values(change);
    const text = JSON.stringify({ ...good, ...change }, (_, value) => (value === part && part.text ? "its text" : value));
    return [kind, part.text ? text.replace('"its text"', () => part.text) : text];
  });
}

test("hostile templates and tokenizers end in time, and the page answers after", async ({ page }) => {
  test.setTimeout(600_000);
  await useSample(page);
  const base = ["config.json", "generation_config.json", "model.safetensors"].map(file);
  const all = templates(), count = Math.min(all.length, Number(process.env.HOSTILE ?? 16));
  /** @type {[string, { name: string, mimeType: string, buffer: Buffer }[]][]} */
  const cases = [
    ...Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]).map(([kind, text]) => hostile(`template: ${kind}`, [file("tokenizer.json"), file("tokenizer_config.json"),
      { name: "chat_template.jinja", mimeType: "text/plain", buffer: Buffer.from(text) }])),
    ...tokenizers().map(([kind, text]) => hostile(`tokenizer: ${kind}`, [file("tokenizer_config.json"), { name: "tokenizer.json", mimeType: "application/json", buffer: Buffer.from(text) }])),
  ];
  const memory = async () => {
    const { usedJSHeapSize = 0 } = await page.evaluate(() => performance["memory"] ?? {});
    return usedJSHeapSize / 1e6;
  };
  await page.locator("#own-model > summary").click();
  const working = page.locator("#load-stage");
  let slowest = 0, refused = 0;
  for (const [kind, files] of cases) {
    const begun = Date.now();
    await page.locator("#model-files").setInputFiles([...base, ...files]);
    // It ends by a model that is loaded or by a notice.
    await expect(working, kind).toHaveCount(0, { timeout: 30_000 });
    const loaded = await page.locator("#model-facts").isVisible();
    const notice = page.locator("section[aria-labelledby=h-model] .notice");
    if (await notice.count()) {
      refused++;
      await notice.getByRole("button", { name: "Dismiss" }).click();
    } else {
      expect(loaded, kind).toBe(true);
    }
    const took = (Date.now() - begun) / 1000;
    slowest = Math.max(slowest, took);
    expect(took, `${kind}: seconds`).toBeLessThan(seconds + 1); // of which the test's own clicks are one
    expect(await memory(), `${kind}: MB of the page`).toBeLessThan(megabytes);
  }
  console.log(`hostile_kinds ${cases.length} refused ${refused} slowest ${slowest.toFixed(1)} s`);
  // The page has come through it: its own model loads and answers.
  await page.locator(".rows .row").first().getByRole("button", { name: /^Load/ }).click();
  await expect(page.locator(".rows .row").first().locator(".tag.ok")).toBeVisible({ timeout: 60_000 });
  await page.fill("#prompt", "The river");
  await page.click("#ask");
  await expect(page.locator("#answer-base footer .tag")).toBeVisible({ timeout: 60_000 });
});
