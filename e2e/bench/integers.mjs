// What products in integers cost in learning: SmolLM2's validation loss after STEPS (60) steps in
// float32 and in integers, in Chromium with two threads, on 200 training and 60 validation prompts
// of the E2E data, for each seed of SEEDS ("1,2,3").
//
//	node integers.mjs
//
// Prints "name value unit", one a line. It takes about a quarter of an hour.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { browser, build, root } from './serve.mjs';

const folder = 'static/models/smollm2-135m';
if (!fs.existsSync(path.join(root, folder)) || !fs.existsSync(path.join(root, '../shared/data/e2e/train.jsonl'))) {
	console.log('# integers: needs SmolLM2 (make models) and the shared E2E data');
	process.exit(0);
}
const steps = process.env.STEPS ?? '60';
const split = 'build/bench/integers';
spawnSync('go', ['run', './e2e/bench/learn', '-write', split], { cwd: root, stdio: 'inherit' });
const b = await browser();
try {
	const program = build('learn');
	for (const seed of (process.env.SEEDS ?? '1,2,3').split(',')) {
		const loss = {};
		for (const precision of ['exact', 'fast']) {
			const lines = await b.go(program, ['-threads', 2, '-steps', steps, '-seed', seed, '-precision', precision, '-data', `${b.base}/${split}/all.jsonl`, `${b.base}/${folder}`]);
			for (const line of lines.filter((l) => l.startsWith('#'))) console.log(`${line} (seed ${seed})`);
			loss[precision] = Number(/^last (\S+)/m.exec(lines.join('\n'))?.[1]);
			console.log(`loss_${precision}_seed_${seed} ${loss[precision]} nats`);
		}
		console.log(`loss_fast_minus_exact_seed_${seed} ${(loss.fast - loss.exact).toFixed(4)} nats`);
	}
} finally {
	await b.close();
}
