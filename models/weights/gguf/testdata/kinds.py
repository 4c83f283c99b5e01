"""Writes kinds.gguf: a metadata value of every kind and two tensors, with the
Python package gguf 0.19.0. Nothing in it is random.

    python kinds.py        # in this folder
"""
import numpy as np
from gguf import GGUFValueType as V, GGUFWriter

w = GGUFWriter("kinds.gguf", "llama")
w.add_custom_alignment(64)
w.add_string("s", "grüß")
w.add_key_value("empty", "", V.STRING)
for name, kind, x in [("u8", V.UINT8, 200), ("i8", V.INT8, -100), ("u16", V.UINT16, 60000), ("i16", V.INT16, -30000),
                      ("u32", V.UINT32, 4 * 10**9), ("i32", V.INT32, -2 * 10**9), ("u64", V.UINT64, 1 << 62),
                      ("i64", V.INT64, -(1 << 62)), ("big", V.UINT64, 1 << 63), ("f32", V.FLOAT32, 0.1), ("f64", V.FLOAT64, 0.1),
                      ("yes", V.BOOL, True), ("no", V.BOOL, False)]:
    w.add_key_value(name, x, kind)
w.add_array("strings", ["a", "", "ccc"])
w.add_array("ints", [-1, 0, 70000])
w.add_array("floats", [0.5, -2.0])
w.add_array("bools", [True, False, True])
w.add_tensor("vector", np.array([1, 2, 3], dtype=np.float32))
w.add_tensor("cube", np.arange(24, dtype=np.float16).reshape(2, 3, 4))
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
