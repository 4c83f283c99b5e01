// The race with PEFT: 200 training and 60 validation prompts of the E2E data, SmolLM2 in Q4_1.
// How long PyTorch takes, on two threads, to the best validation loss of PEFT's cartridge,
// which starts from the same two examples, at the best of its rates; and how long the page's
// training takes to that loss in Chromium, on two threads, with the page's settings.
//
//	PYTHON=… node e2e/bench/peft.mjs
//
// PYTHON has torch, transformers, peft and gguf (wasm/reproduce/compare/compare.py says which).
// STEPS (200), RATES and NUMBERS ("float32,bfloat16"; the second is left out where the
// processor lacks it) make it shorter: all of it takes an hour and more. Prints "name value
// unit", one a line, and with # every validation.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { browser, build, root } from './serve.mjs';

const folder = 'static/models/smollm2-135m';
const data = '../shared/data/e2e/train.jsonl';
const python = process.env.PYTHON;
if (!python || !fs.existsSync(path.join(root, folder)) || !fs.existsSync(path.join(root, data))) {
	console.log('# peft: needs PYTHON, SmolLM2 (make models) and the shared E2E data');
	process.exit(0);
}
const steps = process.env.STEPS ?? '200';
const rates = (process.env.RATES ?? '0.001,0.003,0.01,0.02,0.03').split(',');
const has = fs.existsSync('/proc/cpuinfo') && /avx512_bf16|amx_bf16/.test(fs.readFileSync('/proc/cpuinfo', 'utf8'));
const numbers = (process.env.NUMBERS ?? 'float32,bfloat16').split(',').filter((n) => n !== 'bfloat16' || has);
const split = 'build/bench/peft';
spawnSync('go', ['run', './e2e/bench/learn', '-write', split], { cwd: root, stdio: 'inherit' });
const gguf = path.join(root, split, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const parts = fs.readdirSync(path.join(root, folder)).filter((f) => f.includes('.gguf')).sort();
fs.writeFileSync(gguf, Buffer.concat(parts.map((f) => fs.readFileSync(path.join(root, folder, f)))));

/** The lowest validation loss of one rate, and after how many seconds it was there. */
async function peft(rate, kind) {
	const child = spawn(python, ['e2e/bench/cartridge.py', split, rate, kind, steps], { cwd: root, env: { ...process.env, SMOLLM2: gguf }, stdio: ['ignore', 'pipe', 'inherit'] });
	let best = { loss: Infinity };
	for await (const line of readline.createInterface({ input: child.stdout })) {
		const [step, seconds, loss] = line.split(' ').map(Number);
		if (!Number.isFinite(loss)) continue;
		console.log(`# PEFT ${kind}, rate ${rate}: step ${step}, ${seconds} s, ${loss}`);
		if (loss < best.loss) best = { loss, seconds, rate };
	}
	return best;
}

const b = await browser();
try {
	const program = build('learn');
	for (const kind of numbers) {
		let best = { loss: Infinity };
		for (const rate of rates) {
			const now = await peft(rate, kind);
			if (now.loss < best.loss) best = now;
		}
		console.log(`peft_loss_${kind} ${best.loss} nats`);
		console.log(`peft_time_${kind} ${best.seconds} s`);
		const lines = await b.go(program, ['-threads', 2, '-every', 10, '-until', best.loss, '-data', `${b.base}/${split}/all.jsonl`, `${b.base}/${folder}`]);
		for (const line of lines.filter((l) => l.startsWith('#'))) console.log(line);
		const ours = Number(/^reached (\S+)/m.exec(lines.join('\n'))?.[1]);
		console.log(Number.isFinite(ours) ? `time_to_loss_vs_peft_${kind} ${(ours / best.seconds).toFixed(3)} ratio` : `# that loss was not reached`);
	}
} finally {
	await b.close();
}
