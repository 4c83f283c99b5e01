// Runs single records of the kernel modules: what the benchmarks of kernels share.
// Works in Node and in a page; the record's layout is simd/command's Product.

export const types = { f32: 0, f16: 1, bf16: 2, q8_0: 3, q4_0: 4, q4_1: 5 };

// Kernels is a module with its own memory and a bump allocator over it.
export class Kernels {
	constructor(bytes, pages = 4096) {
		const module = new WebAssembly.Module(bytes);
		this.exports = new WebAssembly.Instance(module, { env: { now: () => 0 } }).exports;
		this.exports.memory.grow(pages - 1);
		this.memory = this.exports.memory;
		this.top = 8 << 20; // below: control block and workspace
	}

	alloc(bytes) {
		const at = this.top;
		this.top += (bytes + 127) & ~63;
		return at;
	}

	// random fills n floats.
	random(n) {
		const at = this.alloc(4 * n);
		const v = new Float32Array(this.memory.buffer, at, n);
		let s = 1;
		for (let i = 0; i < n; i++) {
			s = (s * 1103515245 + 12345) >>> 0;
			v[i] = (s / 2 ** 31 - 1) * 0.5;
		}
		return at;
	}

	// product is the record of c[m, n] = a[m, k]·b, b stored [n, k] (transposed) or [k, n].
	product({ m, n, k, type = 'f32', transposed = true, cols = 64 }) {
		const blocks = (n * k) / 32;
		const quants = type === 'f32' ? this.random(n * k) : this.random(n * k / 2);
		const scales = this.alloc(4 * blocks);
		const half = new Uint16Array(this.memory.buffer, scales, 2 * blocks);
		half.fill(0x2000); // 2⁻⁷
		if (type === 'f16') new Uint16Array(this.memory.buffer, quants, n * k).fill(0x3555);
		const live = this.alloc(4);
		new Uint32Array(this.memory.buffer, live, 1)[0] = m;
		const rec = [1, Math.ceil(n / cols), 0, 0, // Head
			live, 0, 1, m, // Live
			quants, scales, types[type], transposed ? k : n, // B
			this.random(m * k), 4 * k, 0, transposed ? 1 : 0, // A, LDA, Columns, Transposed
			this.random(m * n), 4 * n, 0, 0, 0, 0, // C, LDC, Add, LDAdd, Bias, Acc
			m, n, k, cols, m, 1]; // M, N, K, Cols, Rows, RowTiles
		const at = this.alloc(4 * rec.length);
		new Uint32Array(this.memory.buffer, at, rec.length).set(rec);
		return at;
	}

	run(record) {
		new Uint32Array(this.memory.buffer, 1024, 1)[0] = record;
		if (this.exports.run(65536, Infinity) !== 0) throw new Error('the record did not end');
	}
}
