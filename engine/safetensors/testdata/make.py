"""Writes reference.safetensors and empty.safetensors with the reference
implementation (safetensors 0.8.0, numpy 2.4.6). Nothing in it is random.

    python make.py        # in this folder
"""
import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "f32": np.arange(6, dtype=np.float32).reshape(2, 3) / 7,
        "f16": (np.arange(4, dtype=np.float16) - 1.5).reshape(4),
        "f64": np.array(np.pi),
        "i32": np.array([[-1, 2]], dtype=np.int32),
        "i64": np.array([-1, 1 << 40], dtype=np.int64),
        "u8": np.array([0, 255, 7], dtype=np.uint8),
        "i8": np.array([-128, 127], dtype=np.int8),
        "bool": np.array([True, False, True]),
        "none": np.zeros((0, 5), dtype=np.float32),
        'a "quoted" <name>\n': np.array([1], dtype=np.float32),
    },
    "reference.safetensors",
    metadata={"format": "pt"},
)
save_file({}, "empty.safetensors")
