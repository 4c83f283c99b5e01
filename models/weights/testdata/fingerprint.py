"""Prints the fingerprint of a GGUF file's weights as Catalog.Fingerprint
documents it, from the tensors that the Python package gguf 0.19.0 reads and, of
types that are converted, dequantises and quantises.

    python fingerprint.py FILE.gguf
"""
import hashlib
import sys
import warnings

import numpy as np
from gguf import GGMLQuantizationType as T, GGUFReader
from gguf.quants import dequantize, quantize

warnings.simplefilter("ignore")
KEPT = {T.F32, T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1}


def sha(data):
    return hashlib.sha256(data)


lines = []
for t in GGUFReader(sys.argv[1]).tensors:
    kind, data = t.tensor_type, np.ascontiguousarray(t.data)
    if kind not in KEPT:
        kind, data = T.Q8_0, quantize(dequantize(data, kind), T.Q8_0)
    data = memoryview(np.ascontiguousarray(data).view(np.uint8).reshape(-1))
    leaves = b"".join(sha(data[i:i + (1 << 20)]).digest() for i in range(0, len(data), 1 << 20))
    shape = " ".join(str(n) for n in reversed(t.shape.tolist()))
    lines.append(f'"{t.name}" {kind.name} [{shape}] {sha(leaves).hexdigest()}\n')
print(sha("".join(sorted(lines)).encode()).hexdigest())
