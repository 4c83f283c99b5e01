"""Writes tiny.gguf, a file of architecture llama with a tensor of every type,
query and key rows interleaved as llama.cpp has them, and tiny.safetensors with
the bytes that each tensor has on the device (Python packages gguf 0.19.0,
safetensors 0.8.0, numpy 2.4.6).

    python make.py        # in this folder
"""
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T, GGUFWriter
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

rng = np.random.default_rng(5)
KEPT = {T.F32, T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1}


def permute(w, heads):
    """As convert_hf_to_gguf.py does it."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def stored(shape, t):
    """Random values of a shape as rows of bytes of type t."""
    if t in (T.Q4_K, T.Q5_K, T.Q6_K):  # the package can't make these: random bits with sane scales
        _, size = GGML_QUANT_SIZES[t]
        blocks = rng.integers(0, 256, (shape[0], shape[1] // 256, size), dtype=np.uint8)
        for at in ([208] if t == T.Q6_K else [0, 2]):
            scale = (rng.standard_normal(blocks.shape[:2]) / 1000).astype(np.float16)
            blocks[..., at:at + 2] = scale.view(np.uint8).reshape(*blocks.shape[:2], 2)
        return blocks.reshape(shape[0], -1)
    return np.ascontiguousarray(quantize(rng.standard_normal(shape).astype(np.float32), t)).view(np.uint8).reshape(shape[0], -1)


w = GGUFWriter("tiny.gguf", "llama")
w.add_string("general.name", "tiny")
w.add_uint32("llama.attention.head_count", 4)
expect = {}
for name, shape, t, heads in [
    ("token_embd.weight", (24, 64), T.Q8_0, 0),
    ("blk.0.attn_q.weight", (32, 64), T.Q4_1, 4),
    ("blk.0.attn_k.weight", (16, 64), T.F16, 2),
    ("blk.0.attn_v.weight", (16, 64), T.Q4_0, 0),
    ("blk.1.attn_q.weight", (32, 64), T.Q5_0, 4),
    ("blk.1.attn_k.weight", (16, 64), T.BF16, 2),
    ("blk.1.attn_v.weight", (16, 64), T.Q5_1, 0),
    ("blk.0.ffn_gate.weight", (3, 512), T.Q4_K, 0),
    ("blk.0.ffn_up.weight", (3, 512), T.Q5_K, 0),
    ("blk.0.ffn_down.weight", (3, 512), T.Q6_K, 0),
    ("output_norm.weight", (64, 1), T.F32, 0),
    ("blk.0.attn_q.bias", (32, 1), T.F32, 4),
]:
    rows = stored(shape, t)
    device = rows if t in KEPT else quantize(dequantize(rows, t), T.Q8_0).view(np.uint8)
    expect[name] = np.ascontiguousarray(device).reshape(-1)
    if heads:
        rows = permute(rows, heads)
    if shape[1] == 1:
        rows = rows.reshape(-1)
    w.add_tensor(name, np.ascontiguousarray(rows), raw_dtype=t)
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
save_file(expect, "tiny.safetensors")
