// The matrix product: against the multiply-add limit (in Node with relaxed SIMD), and
// against XNNPACK (tfjs) and onnxruntime-web in Chromium, one thread each.
//
//	node --experimental-wasm-relaxed-simd gemm.mjs [peak] [peers]
//
// Prints "name value unit", one a line; a name's value is the worst of its shapes,
// which lines with # show one by one.
import fs from 'node:fs';
import { Kernels } from './kernel.mjs';

const shapes = [[512, 576, 576], [512, 1536, 576], [512, 576, 1536], [576, 576, 576]]; // m, n, k
const rate = ([m, n, k], s) => (2 * m * n * k) / s / 1e9;
const line = (name, value, unit) => console.log(`${name} ${value.toFixed(3)} ${unit}`);

// interleaved gives the median over rounds of each run's time, and of each pair's ratio:
// all take turns, so that a busy moment of the machine meets all.
function interleaved(runs, rounds = 41) {
	const times = {}, names = Object.keys(runs);
	for (let round = -10; round < rounds; round++) {
		for (const name of names) {
			const start = performance.now();
			runs[name]();
			if (round >= 0) (times[name] ??= []).push(performance.now() - start);
		}
	}
	const median = (v) => v.toSorted((a, b) => a - b)[v.length >> 1];
	return { time: (a) => median(times[a]) / 1000, ratio: (a, b) => median(times[a].map((t, i) => t / times[b][i])) };
}

function ofPeak() {
	const kernels = new Kernels(fs.readFileSync(new URL('../../simd/module/relaxed-own.wasm', import.meta.url)));
	const worst = {};
	const note = (name, v) => (worst[name] = Math.min(worst[name] ?? Infinity, v));
	for (const [m, n, k] of shapes) {
		kernels.top = 8 << 20;
		const runs = {}, flops = 2 * m * n * k, rounds = Math.ceil(flops / (48 * 8)); // as many multiply-adds
		runs.limit = () => kernels.exports.peak(rounds);
		for (const type of ['f32', 'f16', 'q8_0', 'q4_0', 'q4_1']) {
			const record = kernels.product({ m, n, k, type });
			runs[type] = () => kernels.run(record);
		}
		const t = interleaved(runs);
		note('simd_gemm_f32_of_peak', t.ratio('limit', 'f32'));
		note('simd_gemm_q4_of_f32', Math.min(t.ratio('f32', 'q4_0'), t.ratio('f32', 'q4_1')));
		console.log(`# ${m}×${n}×${k}: ` + Object.keys(runs).map((name) => `${name} ${(flops / t.time(name) / 1e9).toFixed(1)}`).join(', ') + ' GFLOP/s');
	}
	for (const name in worst) line(name, worst[name], 'ratio');
}

async function peers() {
	const { browser } = await import('./serve.mjs');
	const b = await browser();
	const page = await b.page('/plain/');
	const result = await page.evaluate(async (shapes) => {
		const at = '/plain/e2e/bench/';
		const script = (src) => new Promise((done, fail) => document.head.append(Object.assign(document.createElement('script'), { src, onload: done, onerror: fail })));
		await script(at + 'node_modules/@tensorflow/tfjs-core/dist/tf-core.min.js');
		await script(at + 'node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js');
		tf.wasm.setWasmPaths(at + 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/');
		await tf.setBackend('wasm');
		const ort = await import(at + 'node_modules/onnxruntime-web/dist/ort.wasm.min.mjs');
		ort.env.wasm.numThreads = 1;
		ort.env.wasm.wasmPaths = location.origin + at + 'node_modules/onnxruntime-web/dist/';
		const { matmul } = await import(at + 'onnx.mjs');
		const { Kernels } = await import(at + 'kernel.mjs');
		const load = async (name) => new Uint8Array(await (await fetch('/plain/simd/module/' + name + '.wasm')).arrayBuffer());
		const modules = { relaxed: await load('relaxed-own'), plain: await load('plain-own') };
		const out = [];
		for (const [m, n, k] of shapes) {
			const ours = {};
			for (const name in modules) {
				const kernels = new Kernels(modules[name], 2048);
				const record = kernels.product({ m, n, k });
				ours[name] = () => kernels.run(record);
			}
			const a = tf.randomNormal([m, k]), w = tf.randomNormal([k, n]);
			const xnnpack = () => tf.tidy(() => { tf.matMul(a, w); });
			const session = await ort.InferenceSession.create(matmul(m, n, k, w.dataSync()), { executionProviders: ['wasm'] });
			const x = new ort.Tensor('float32', a.dataSync(), [m, k]);
			const onnx = () => session.run({ x });
			// All take turns, so that a busy moment of the machine meets all.
			const runs = { ...ours, xnnpack, onnx }, times = {};
			for (let round = -20; round < 31; round++) {
				for (const name in runs) {
					const start = performance.now();
					await runs[name]();
					await runs[name]();
					if (round >= 0) (times[name] ??= []).push(performance.now() - start);
				}
			}
			const median = {};
			for (const name in times) median[name] = times[name].sort((a, b) => a - b)[times[name].length >> 1] / 2000;
			out.push(median);
			a.dispose(), w.dispose();
			await session.release();
		}
		return out;
	}, shapes);
	await b.close();
	const worst = {};
	result.forEach((t, i) => {
		console.log(`# Chromium ${shapes[i].join('×')}: ` + Object.entries(t).map(([name, s]) => `${name} ${rate(shapes[i], s).toFixed(1)}`).join(', ') + ' GFLOP/s');
		for (const [name, v] of [['simd_gemm_vs_xnnpack', t.xnnpack / t.relaxed], ['simd_gemm_vs_ort', t.onnx / t.relaxed], ['simd_gemm_plain_vs_xnnpack', t.xnnpack / t.plain]]) {
			worst[name] = Math.min(worst[name] ?? Infinity, v);
		}
	});
	for (const name in worst) line(name, worst[name], 'ratio');
}

const wanted = process.argv.slice(2);
if (!wanted.length || wanted.includes('peak')) ofPeak();
if (!wanted.length || wanted.includes('peers')) await peers();
