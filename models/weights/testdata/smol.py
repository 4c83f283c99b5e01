"""Prints the SHA-256 of some weights of SmolLM2-135M-Instruct in float32, as
transformers 5 reads them from the GGUF file (q and k rows put back in order).
smol_test.go holds them.

    python smol.py FOLDER_OF_THE_GGUF_FILE
"""
import hashlib
import sys

from transformers import AutoModelForCausalLM

NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], gguf_file=NAME)
state = model.state_dict()
for name in ["model.embed_tokens.weight", "model.norm.weight", "model.layers.0.self_attn.q_proj.weight",
             "model.layers.29.self_attn.k_proj.weight", "model.layers.7.self_attn.v_proj.weight",
             "model.layers.13.mlp.down_proj.weight"]:
    w = state[name].float().contiguous().numpy()
    print(name, w.shape, hashlib.sha256(w.tobytes()).hexdigest())
