// The SIMD device as a whole, in Chromium: training steps and threads, decoding against
// memory bandwidth, and against jax-js and wllama. Contestants take turns and the best
// of each counts: what else the machine does only ever adds.
//
//	node simd.mjs [step] [small] [decode] [integers]
//
// Prints "name value unit", one a line.
import fs from 'node:fs';
import path from 'node:path';
import { browser, build, root } from './serve.mjs';

const line = (name, value, unit) => console.log(`${name} ${value.toFixed(3)} ${unit}`);
const rounds = Number(process.env.ROUNDS ?? 2);
const wanted = process.argv.slice(2);
const wants = (part) => !wanted.length || wanted.includes(part);
const b = await browser();

// figures are the "name value unit" lines of a program, by name.
async function figures(program, ...args) {
	const out = {};
	for (const text of await b.go(program, args)) {
		const [name, value] = text.split(' ');
		if (text.startsWith('#')) console.log(text);
		else if (Number.isFinite(Number(value))) out[name] = Number(value);
	}
	return out;
}

// best keeps the better of what rounds gave.
const best = (all, name, value, better = Math.min) => (all[name] = all[name] === undefined ? value : better(all[name], value));

// steps: SmolLM2's shape in f32, 4 × 128 tokens, with one thread and with two. What two
// threads are worth is told by runs short enough to meet a moment in which both have a
// core to themselves: products, and whole steps of a decoder of one block.
async function steps(program) {
	const all = {};
	for (let round = 0; round < rounds; round++) {
		for (const threads of [1, 2]) {
			const f = await figures(program, '-model', 'block', '-threads', threads, '-steps', 200);
			best(all, 'block' + threads, f.step);
			best(all, 'rate' + threads, f.rate, Math.max);
		}
		for (const threads of [1, 2]) {
			const f = await figures(program, '-model', 'smollm2', '-threads', threads, '-steps', 2);
			best(all, 'step' + threads, f.step);
			best(all, 'rate' + threads, f.rate, Math.max);
			if (threads === 1) best(all, 'ofGEMM', f.of_gemm, Math.max);
		}
	}
	line('simd_step_smollm2', all.step1, 's');
	line('simd_step_smollm2_2_threads', all.step2, 's');
	line('simd_step_of_gemm', all.ofGEMM, 'ratio');
	line('simd_gemm_threads_2', all.rate2 / all.rate1, 'ratio');
	line('simd_step_block_threads_2', all.block1 / all.block2, 'ratio');
	line('simd_step_smollm2_threads_2', all.step1 / all.step2, 'ratio');
	line('simd_threads_2', Math.min(all.rate2 / all.rate1, all.block1 / all.block2), 'ratio');
}

// small: the small decoder, against the same step in jax-js on its wasm backend.
async function small(program) {
	const all = {};
	for (let round = 0; round < rounds; round++) {
		// All four modules, which train alike: relaxed or plain, own memory or shared.
		const losses = [];
		for (const [name, ...args] of [['ours'], ['plain', '-plain'], ['again', '-recompute']]) {
			for (const threads of [1, 2]) {
				const f = await figures(program, '-model', 'small', '-threads', threads, '-steps', 12, ...args);
				best(all, name + threads, f.step);
				losses.push(f.loss);
			}
		}
		if (!(Math.max(...losses) - Math.min(...losses) < 1e-4)) throw new Error(`the modules train to different losses: ${losses}`);
		const page = await b.page('/');
		best(all, 'jax', await page.evaluate(async () => {
			const jax = await import('/e2e/bench/node_modules/@jax-js/jax/dist/index.js');
			const { decoder } = await import('/e2e/bench/jax-decoder.mjs');
			const step = await decoder(jax, 'wasm');
			let least = Infinity;
			for (let i = 0; i < 4; i++) {
				const start = performance.now();
				await step();
				least = Math.min(least, (performance.now() - start) / 1000);
			}
			return least;
		}));
		await page.close();
	}
	line('simd_step_small', all.ours1, 's');
	line('simd_step_small_2_threads', all.ours2, 's');
	line('simd_step_small_plain', all.plain1, 's');
	line('simd_step_small_plain_2_threads', all.plain2, 's');
	line('simd_recompute_time', all.again1 / all.ours1, 'ratio');
	line('simd_small_threads_2', all.ours1 / all.ours2, 'ratio');
	line('jaxjs_step_small', all.jax, 's');
	line('simd_step_vs_jaxjs', all.jax / all.ours1, 'ratio');
}

// reading is the time in ms in which threads read and add up so many bytes.
async function reading(threads, bytes) {
	const page = await b.page('/');
	const least = await page.evaluate(async ({ threads, bytes }) => {
		const module = await WebAssembly.compileStreaming(fetch('/simd/module/relaxed-shared.wasm'));
		const part = Math.ceil(bytes / threads / 128) * 128;
		const memory = new WebAssembly.Memory({ initial: Math.ceil((part * threads) / 65536) + 1, maximum: 65536, shared: true });
		new Uint8Array(memory.buffer).fill(3);
		const script = URL.createObjectURL(new Blob([`let read; onmessage = ({ data }) => {
			if (data.module) { read = new WebAssembly.Instance(data.module, { env: { memory: data.memory, now: () => 0 } }).exports.read; return postMessage(0); }
			const start = performance.timeOrigin + performance.now(); read(data.at, data.part); postMessage([start, performance.timeOrigin + performance.now()]); }`]));
		const workers = Array.from({ length: threads }, () => new Worker(script));
		const ask = (w, message) => new Promise((done) => { w.onmessage = (e) => done(e.data); w.postMessage(message); });
		await Promise.all(workers.map((w) => ask(w, { module, memory })));
		let least = Infinity;
		for (let i = 0; i < 60; i++) {
			const spans = await Promise.all(workers.map((w, t) => ask(w, { at: t * part, part })));
			if (i >= 5) least = Math.min(least, Math.max(...spans.map((s) => s[1])) - Math.min(...spans.map((s) => s[0])));
		}
		return least;
	}, { threads, bytes });
	await page.close();
	return least;
}

// wllama gives its time in ms for a token after the first, on average over a run.
async function wllama(threads, files) {
	const page = await b.page('/');
	const [each, text] = await page.evaluate(async ({ threads, files }) => {
		const at = '/e2e/bench/node_modules/@wllama/wllama/esm/';
		const { Wllama } = await import(at + 'index.js');
		const w = new Wllama({ default: location.origin + at + 'wasm/wllama.wasm' }, { suppressNativeLog: true });
		const pieces = await Promise.all(files.map(async (f) => (await fetch(f)).blob()));
		await w.loadModel([new Blob(pieces)], { n_threads: threads, n_gpu_layers: 0, n_ctx: 256 });
		let each, text;
		for (let run = 0; run < 2; run++) { // the first warms up
			text = '';
			let first, last, n = 0;
			for await (const c of await w.createCompletion({ prompt: 'The history of the lighthouse began when', max_tokens: 32, temperature: 0, stream: true })) {
				if (!c.choices?.[0]?.text) continue;
				last = performance.now();
				first ??= last;
				text += c.choices[0].text;
				n++;
			}
			each = (last - first) / (n - 1);
		}
		const used = w.getNumThreads();
		await w.exit();
		return [each, `${used} threads: ${text}`];
	}, { threads, files });
	await page.close();
	console.log('# wllama, ' + JSON.stringify(text));
	return each;
}

async function decode(program) {
	const folder = 'static/models/smollm2-135m';
	if (!fs.existsSync(path.join(root, folder))) return console.log("# decoding: SmolLM2 is not here; 'make models' gets it");
	const files = fs.readdirSync(path.join(root, folder)).filter((f) => f.includes('.gguf')).sort().map((f) => `/${folder}/${f}`);
	const all = {};
	for (let round = 0; round < rounds; round++) {
		for (const threads of [1, 2]) {
			const f = await figures(program, '-threads', threads, `${b.base}/${folder}`);
			best(all, 'ours' + threads, f.token);
			best(all, 'mean' + threads, f.mean);
			best(all, 'read' + threads, await reading(threads, f.bytes));
			best(all, 'wllama' + threads, await wllama(threads, files));
		}
	}
	for (const threads of [1, 2]) {
		const tail = threads === 1 ? '' : '_2_threads';
		line('simd_decode_token' + tail, all['ours' + threads], 'ms');
		line('simd_decode_mean' + tail, all['mean' + threads], 'ms');
		line('wllama_decode_token' + tail, all['wllama' + threads], 'ms');
		line('read_model' + tail, all['read' + threads], 'ms');
		line('simd_decode_of_bandwidth' + tail, all['read' + threads] / all['ours' + threads], 'ratio');
		line('simd_decode_vs_wllama' + tail, all['wllama' + threads] / all['mean' + threads], 'ratio');
	}
}

// integers: a training step of SmolLM2 on eight examples of 64 tokens over 97 slots, loss on
// the last 24 of each, with 4-bit weights and two threads; and decoding with one. Each by
// turns at either precision, in one page: the median ratio of neighbours.
async function integers() {
	const step = await figures(build('step'), '-products', '-threads', 2, '-type', 'q4_1', '-batch', 8, '-seq', 64, '-loss', 24, '-slots', 97, '-steps', 6);
	line('step_f32', step.step_f32, 's');
	line('step_int8', step.step_int8, 's');
	line('step_int8_of_f32', step.step_int8_of_f32, 'ratio');
	const folder = 'static/models/smollm2-135m';
	if (!fs.existsSync(path.join(root, folder))) return console.log("# decoding: SmolLM2 is not here; 'make models' gets it");
	const decode = await figures(build('decode'), '-products', '-rounds', 6, '-threads', 1, `${b.base}/${folder}`);
	line('decode_fast_vs_exact', decode.decode_fast_vs_exact, 'ratio');
}

try {
	if (wants('integers')) await integers();
	if (wants('step') || wants('small')) {
		const program = build('step');
		if (wants('small')) await small(program);
		if (wants('step')) await steps(program);
	}
	if (wants('decode')) await decode(build('decode'));
} finally {
	await b.close();
}
