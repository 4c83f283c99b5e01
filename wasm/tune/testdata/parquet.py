"""Writes Parquet tables as pandas and datasets write them (by pyarrow), for the command line's reader and the page's.

    python parquet.py        Made with pyarrow 26.0.1 and datasets 5.2.0. No random numbers.

plain, talks and chosen are small files of examples; kinds has a column of every kind of value and delta
one of every encoding, page version and codec that pyarrow writes; hub is what datasets puts on the hub.
"""
import datetime, decimal, io
import pyarrow as pa, pyarrow.parquet as pq

plain = pa.table({"prompt": ["Größe?", "Line\nbreak"], "completion": ["10 cm", "yes"], "id": pa.array([1, None], pa.int64())})
pq.write_table(plain, "plain.parquet", compression="zstd")
talks = pa.table({"messages": [[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}],
                               [{"role": "system", "content": "be short"}, {"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]]})
pq.write_table(talks, "talks.parquet", compression="snappy")
chosen = pa.table({"prompt": ["a"] * 3, "chosen": ["b", "c", "d"], "rejected": ["x"] * 3, "scores": [[0.5, 1.0]] * 3})
pq.write_table(chosen, "chosen.parquet", compression="gzip", row_group_size=2)

utc = datetime.timezone.utc
when = datetime.datetime(2024, 2, 29, 23, 59, 58, 123456)
kinds = pa.table({
    "prompt": ["a", "b", "c"], "completion": pa.array(["x", "", "z"], pa.large_string()),
    "i8": pa.array([-128, 127, None], pa.int8()), "u32": pa.array([0, 2**32 - 1, 5], pa.uint32()),
    "i64": pa.array([2**53 + 1, -(2**63), None], pa.int64()), "u64": pa.array([2**64 - 1, 0, 1], pa.uint64()),
    "f32": pa.array([0.1, -0.0, 1e20], pa.float32()), "f64": pa.array([0.1, 1e300, None], pa.float64()), "nan": [float("nan"), float("inf"), 1.0],
    "flag": [True, False, None], "word": pa.array(["red", "blue", "red"]).dictionary_encode(),
    "day": pa.array([datetime.date(2024, 2, 29), datetime.date(1969, 12, 31), None]),
    "ms": pa.array([when, None, when], pa.timestamp("ms")), "us": pa.array([when.replace(tzinfo=utc)] * 3, pa.timestamp("us", "UTC")),
    "ns": pa.array([when] * 3, pa.timestamp("ns")), "price": pa.array([decimal.Decimal("12.50"), decimal.Decimal("-0.05"), None], pa.decimal128(9, 2)),
    "raw": pa.array([b"abc", b"\xff\x00", None], pa.binary()), "clock": pa.array([datetime.time(1, 2, 3)] * 3, pa.time64("us")),
    "many": pa.array([["p", None, ""], [], None], pa.list_(pa.string())), "deep": [[[1, 2], []], [], [[3]]],
    "meta": [{"who": "me", "tags": [{"k": "v"}]}, {"who": None, "tags": []}, None],
    "pairs": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "none": pa.array([None] * 3, pa.null()),
})
pq.write_table(kinds, "kinds.parquet")

rows = {"prompt": [f"question {i % 7}" for i in range(50)], "completion": [f"answer {i}" if i % 5 else None for i in range(50)], "n": [i * i - 300 for i in range(50)], "x": [i / 8 for i in range(50)]}
turns = [[{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": f"a{i}"}] for i in range(50)]
delta = pa.table({**rows, "turns": turns})
for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
    pq.write_table(delta, f"delta-{codec}.parquet", compression=codec, use_dictionary=["prompt"], data_page_version="2.0" if codec in ("none", "zstd", "gzip") else "1.0",
                   column_encoding={"completion": "DELTA_BYTE_ARRAY" if codec != "gzip" else "DELTA_LENGTH_BYTE_ARRAY", "n": "DELTA_BINARY_PACKED", "x": "BYTE_STREAM_SPLIT"}, row_group_size=20, data_page_size=100)

import datasets
features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["negative", "positive"]),
                              "conversations": [{"from": datasets.Value("string"), "value": datasets.Value("string")}], "at": datasets.Value("timestamp[s]")})
hub = datasets.Dataset.from_dict({"text": ["bad", "good", "fine"], "label": [0, 1, 1],
                                  "conversations": [[{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]] * 3, "at": [when.replace(microsecond=0)] * 3}, features=features)
hub.to_parquet("hub.parquet")
