// Writes the smallest ONNX model: y[m, n] = x[m, k] · w[k, n] with w a constant, as
// the fields of onnx.proto3 (ModelProto) that onnxruntime asks for.

const bytes = (s) => [...new TextEncoder().encode(s)];

function varint(v) {
	const out = [];
	for (; v > 127; v = Math.floor(v / 128)) out.push((v % 128) | 128);
	return [...out, v];
}

// Pieces are arrays of bytes or Uint8Arrays; length is kept so that large ones are not spread.
const size = (pieces) => pieces.reduce((n, p) => n + p.length, 0);
const number = (field, v) => [varint(field * 8), varint(v)];
const message = (field, pieces) => [varint(field * 8 + 2), varint(size(pieces)), ...pieces];
const text = (field, s) => message(field, [bytes(s)]);

const shape = (...dims) => message(2, dims.flatMap((d) => message(1, number(1, d)))); // TypeProto.Tensor.shape
const value = (field, name, ...dims) => message(field, [...text(1, name), ...message(2, message(1, [...number(1, 1), ...shape(...dims)]))]);

export function matmul(m, n, k, w) {
	const raw = new Uint8Array(w.buffer, w.byteOffset, w.byteLength);
	const node = message(1, [...text(1, 'x'), ...text(1, 'w'), ...text(2, 'y'), ...text(4, 'MatMul')]);
	const tensor = message(5, [...number(1, k), ...number(1, n), ...number(2, 1), ...text(8, 'w'), ...message(9, [raw])]);
	const graph = [...node, ...text(2, 'g'), ...tensor, ...value(11, 'x', m, k), ...value(12, 'y', m, n)];
	const pieces = [...number(1, 8), ...message(7, graph), ...message(8, number(2, 13))];
	const out = new Uint8Array(size(pieces));
	let at = 0;
	for (const p of pieces) {
		out.set(p, at);
		at += p.length;
	}
	return out;
}
