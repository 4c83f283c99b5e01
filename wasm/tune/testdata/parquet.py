"""Writes plain.parquet, talks.parquet and chosen.parquet, as pandas and datasets write them (by pyarrow).

    python parquet.py        Made with pyarrow 26.0.1. No random numbers.
"""
import pyarrow as pa, pyarrow.parquet as pq

plain = pa.table({"prompt": ["Größe?", "Line\nbreak"], "completion": ["10 cm", "yes"], "id": pa.array([1, None], pa.int64())})
pq.write_table(plain, "plain.parquet", compression="zstd")
talks = pa.table({"messages": [[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}],
                               [{"role": "system", "content": "be short"}, {"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]]})
pq.write_table(talks, "talks.parquet", compression="snappy")
chosen = pa.table({"prompt": ["a"] * 3, "chosen": ["b", "c", "d"], "rejected": ["x"] * 3, "scores": [[0.5, 1.0]] * 3})
pq.write_table(chosen, "chosen.parquet", compression="gzip", row_group_size=2)
