"""Writes wren.json: what transformers 5.24 (float32) makes of the bundled decoder.

    python3 models/pretrain/testdata/reference.py
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

here = Path(__file__).parent
folder = here.parents[2] / "static/models/prelude-wren"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
texts = ["I am looking for a cheap restaurant in the north.", "A: Do you like music?\nB: Yes, I play the piano every day."]
ids = [0] + [i for t in texts for i in tokenizer(t, add_special_tokens=False).input_ids + [0]]
with torch.no_grad():
    logits = model(torch.tensor([ids[:-1]])).logits[0]
nats = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="sum").item()
(here / "wren.json").write_text(json.dumps(dict(texts=texts, ids=ids, nats=nats), indent=1) + "\n")
