// 200 held-out examples of the E2E data answered by SmolLM2 and by a prefix for it, in Chromium
// with two threads: losses and greedy answers, as "Answer all of them" does it.
//
//	node held.mjs
//
// Prints "name value unit", one a line; held_both is of the two together.
import fs from 'node:fs';
import path from 'node:path';
import { browser, build, root } from './serve.mjs';

const folder = 'static/models/smollm2-135m';
const data = path.join(root, '../shared/data/e2e/train.jsonl');
if (!fs.existsSync(path.join(root, folder)) || !fs.existsSync(data)) {
	console.log('# held: needs SmolLM2 (make models) and the shared E2E data');
	process.exit(0);
}
fs.mkdirSync(path.join(root, 'build/bench'), { recursive: true });
fs.copyFileSync(data, path.join(root, 'build/bench/e2e.jsonl'));
const program = build('held');
const b = await browser();
try {
	for (const text of await b.go(program, [...process.argv.slice(2), '-data', `${b.base}/build/bench/e2e.jsonl`, `${b.base}/${folder}`])) {
		console.log(text.startsWith('#') || text === '' ? text : `held_${text}`);
	}
} finally {
	await b.close();
}
