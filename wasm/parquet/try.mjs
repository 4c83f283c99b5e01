// The page's reader of Parquet tables in Node, for tests: prints what it answers for each file. With -hostile
// it gets each file wrong in a few bytes, so many times, and says what the longest took of time and memory.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

let hear;
let done;
Object.assign(globalThis, { addEventListener: (_, f) => { hear = f; }, postMessage: (answer) => done(answer) });
runInThisContext(readFileSync(new URL("bundle/parquet.js", import.meta.url), "utf8"));

process.on("unhandledRejection", () => {}); // of columns that nobody waits for, since one before has failed

/** What the worker answers. */
const ask = (bytes) => new Promise((resolve) => { done = resolve; hear({ data: bytes }); });

const [first, ...rest] = process.argv.slice(2);
const hostile = first === "-hostile";
const files = hostile ? rest.slice(1) : [first, ...rest];
let seed = 20261130;
const chance = (n) => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return Math.floor((seed / 2 ** 32) * n); };
const worst = { ms: 0, bytes: 0, answers: 0, refused: 0 };
for (const name of files) {
  const whole = new Uint8Array(readFileSync(name));
  if (!hostile) {
    const answer = await ask(whole);
    process.stdout.write(`${JSON.stringify({ ...answer, lines: answer.lines && new TextDecoder().decode(answer.lines) })}\n`);
    continue;
  }
  for (let i = 0; i < Number(rest[0]); i++) {
    const bytes = whole.slice(0, chance(4) ? whole.length : chance(whole.length));
    for (let n = chance(4); n >= 0 && bytes.length; n--) bytes[chance(bytes.length)] = chance(256);
    const from = performance.now();
    const answer = await ask(bytes);
    worst.answers++;
    if (!answer.lines) worst.refused++;
    worst.ms = Math.max(worst.ms, performance.now() - from);
    worst.bytes = Math.max(worst.bytes, process.memoryUsage().rss);
  }
}
if (hostile) process.stdout.write(`${JSON.stringify(worst)}\n`);
