"""Writes quants.safetensors: random blocks of every type with the values that
the Python package gguf (0.19.0, numpy 2.4.6) gives them, and random values with
the blocks it makes of them.

    python quants.py        # in this folder
"""
import warnings

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

warnings.simplefilter("ignore")
rng = np.random.default_rng(20261125)
# Where the f16 scales of a block lie, in bytes.
SCALES = {T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.F16: [0], T.BF16: [], T.F32: []}
out = {}
for t, scales in SCALES.items():
    elements, size = GGML_QUANT_SIZES[t]
    n = 12 if elements == 256 else 40
    if t in (T.F32, T.BF16):
        f = rng.standard_normal((n, 1)).astype(np.float32)
        blocks = quantize(f, t).view(np.uint8).reshape(n, size)
    else:
        blocks = rng.integers(0, 256, (n, size), dtype=np.uint8)
        for at in scales:
            f = (rng.standard_normal(n) * 10.0 ** rng.integers(-7, 2, n)).astype(np.float16)
            blocks[:, at:at + 2] = f.view(np.uint8).reshape(n, 2)
    out[f"{t.name}.blocks"] = blocks
    out[f"{t.name}.values"] = np.ascontiguousarray(dequantize(blocks, t)).reshape(n, elements)

values = (rng.standard_normal((40, 32)) * 10.0 ** rng.integers(-6, 4, (40, 1))).astype(np.float32)
values[0] = 0
values[1] = 3.25                                    # no range: Q4_1 has d = 0
values[2] = np.linspace(-127, 127, 32).round() / 2  # halves: ties of Q8_0
values[3] = np.arange(32)
values[4, 5], values[4, 20] = 100, -100             # a tie of the largest magnitude
out["values"] = values
for t in (T.Q8_0, T.Q4_0, T.Q4_1):
    out[f"{t.name}.quantized"] = quantize(values, t)
# Types that were added later, with numbers of their own so that those above stay.
rng = np.random.default_rng(20261129)
for t, scales in {T.Q2_K: [80, 82], T.Q3_K: [108], T.IQ4_NL: [0], T.IQ4_XS: [0], T.MXFP4: [],
                  T.IQ3_XXS: [0], T.IQ3_S: [0], T.TQ1_0: [52], T.TQ2_0: [64]}.items():
    elements, size = GGML_QUANT_SIZES[t]
    n = 12 if elements == 256 else 40
    blocks = rng.integers(0, 256, (n, size), dtype=np.uint8)
    for at in scales:
        f = (rng.standard_normal(n) * 10.0 ** rng.integers(-7, 2, n)).astype(np.float16)
        blocks[:, at:at + 2] = f.view(np.uint8).reshape(n, 2)
    if t == T.MXFP4:
        blocks[:, 0] = rng.integers(100, 140, n)
    out[f"{t.name}.blocks"] = blocks
    out[f"{t.name}.values"] = np.ascontiguousarray(dequantize(blocks, t)).reshape(n, elements)
rng = np.random.default_rng(20261130)
for t, scales in {T.IQ2_XXS: [0], T.IQ2_XS: [0], T.IQ2_S: [0], T.IQ1_S: [0], T.IQ1_M: []}.items():
    elements, size = GGML_QUANT_SIZES[t]
    blocks = rng.integers(0, 256, (12, size), dtype=np.uint8)
    for at in scales:
        f = (rng.standard_normal(12) * 10.0 ** rng.integers(-7, 2, 12)).astype(np.float16)
        blocks[:, at:at + 2] = f.view(np.uint8).reshape(12, 2)
    if t == T.IQ1_M:  # its scale lies in the highest four bits of four words; finite: no exponent of ones
        blocks[:, 55] = blocks[:, 55] & 0xbf
    out[f"{t.name}.blocks"] = blocks
    out[f"{t.name}.values"] = np.ascontiguousarray(dequantize(blocks, t)).reshape(12, elements)
save_file(out, "quants.safetensors")
