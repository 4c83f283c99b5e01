package adapter

import (
	"fmt"
	"slices"
	"strings"
)

// Python is how the adapter in a folder is loaded and asked in Python: several prompts at
// once, in the form that training had. Base says where the model comes from: a name of the
// hub, or a folder.
//
// PEFT 0.21.2 puts a prefix or a soft prompt into generate's first pass only where it is told
// a cache_position, which transformers 5 no longer does: model.generate would answer without
// it, and say nothing. So the lines hand the prefix to the base model's generate as what it
// is, keys and values of tokens that were read before.
func (a *Adapter) Python(base, folder string) string {
	if a.Config.TaskType == SeqToSeq {
		return a.pythonOfPairs(base, folder)
	}
	texts := "texts = prompts"
	if a.Before+a.After != "" {
		texts = fmt.Sprintf("texts = [%q + prompt + %q for prompt in prompts]  # as in training", a.Before, a.After)
	}
	begin := "False"
	if a.Begins {
		begin = "True"
	}
	lines := append(load("AutoModelForCausalLM", base, `, padding_side="left"`, folder),
		`prompts = ["Your prompt", "Another one, which is longer"]`,
		texts,
		"tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token",
	)
	read := []string{
		`batch = tokenizer(texts, add_special_tokens=` + begin + `, padding=True, return_tensors="pt")`,
		"ids, mask = batch.input_ids, batch.attention_mask",
	}
	options := []string{
		"ends = model.generation_config.eos_token_id or []  # whatever ends a turn",
		"ends = [tokenizer.eos_token_id] + (ends if isinstance(ends, list) else [ends])",
		"options = dict(max_new_tokens=60, do_sample=False, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id)",
	}
	if a.inWeights() {
		return join(slices.Concat(lines, read, options, []string{
			"out = model.generate(input_ids=ids, attention_mask=mask, **options)",
			"print(tokenizer.batch_decode(out[:, ids.shape[1]:], skip_special_tokens=True))"}))
	}
	ask := []string{"prefix = model.get_prompt(batch_size=len(prompts))"}
	switch a.Config.PeftType {
	case PromptTuning, PTuning, CPT:
		ask = append(ask, "with torch.no_grad():", "    prefix = model.base_model(inputs_embeds=prefix, use_cache=True).past_key_values")
	}
	ask = append(ask,
		"slots = torch.ones(len(prompts), model.active_peft_config.num_virtual_tokens, dtype=torch.long)  # read already",
		"ids, mask = torch.cat([slots, ids], dim=1), torch.cat([slots, mask], dim=1)",
		"out = model.base_model.generate(input_ids=ids, attention_mask=mask, past_key_values=prefix, **options)",
		"print(tokenizer.batch_decode(out[:, ids.shape[1]:], skip_special_tokens=True))")
	if a.Prelude.Model.Convolutions == 0 {
		return join(slices.Concat(lines, read, options, []string{""}, ask))
	}
	lines = slices.Concat(lines, options, []string{"",
		"for texts in [[text] for text in texts]:  # one at a time: convolutions would see padding in the place of the slots"})
	for _, line := range append(read, ask...) {
		lines = append(lines, "    "+strings.ReplaceAll(line, "prompts", "texts"))
	}
	return join(lines)
}

// load are the lines that load model and adapter.
func load(class, base, padding, folder string) []string {
	return []string{
		"import torch",
		fmt.Sprintf("from transformers import %s, AutoTokenizer", class),
		"from peft import PeftModel",
		"",
		fmt.Sprintf("tokenizer = AutoTokenizer.from_pretrained(%q%s)", base, padding),
		fmt.Sprintf("model = %s.from_pretrained(%q)", class, base),
		fmt.Sprintf("model = PeftModel.from_pretrained(model, %q).eval()", folder),
		"",
	}
}

func join(lines []string) string { return strings.Join(lines, "\n") + "\n" }

// pythonOfPairs asks an encoder-decoder: a pass over prompt and answer for each token, which
// is right for every kind of adapter.
func (a *Adapter) pythonOfPairs(base, folder string) string {
	return join(append(load("AutoModelForSeq2SeqLM", base, "", folder),
		`ids = tokenizer("Your prompt", return_tensors="pt").input_ids`,
		"answer = torch.tensor([[model.config.decoder_start_token_id]])",
		"with torch.no_grad():",
		"    while answer.shape[1] < 60:",
		"        token = model(input_ids=ids, decoder_input_ids=answer).logits[:, -1:].argmax(-1)",
		"        if token.item() == tokenizer.eos_token_id:",
		"            break",
		"        answer = torch.cat([answer, token], dim=1)",
		"print(tokenizer.decode(answer[0, 1:], skip_special_tokens=True))"))
}

// inWeights says whether the adapter is inside the model's own modules, where generate
// finds it.
func (a *Adapter) inWeights() bool {
	return a.Config.PeftType == LoRA || a.Config.PeftType == AdaptionPrompt
}

// Base is where PEFT finds the model: a name of the hub, or a folder of the reader's.
func (a *Adapter) Base() string {
	if strings.Contains(a.Config.BaseModel, "/") {
		return a.Config.BaseModel
	}
	return "model-folder"
}

// readme is README.md: what this is, and how PEFT loads it.
func (a *Adapter) readme() []byte {
	name := a.Prelude.Name
	if name == "" {
		name = "A trained prefix"
	}
	var b strings.Builder
	b.WriteString(a.frontMatter())
	fmt.Fprintf(&b, "# %s\n\nTrained with Prelude for `%s`.\n\n", name, a.Config.BaseModel)
	if a.Config.PeftType == Own {
		fmt.Fprintf(&b, "PEFT cannot load it: %s.\n", a.Prelude.NoPEFT)
		b.WriteString(a.account())
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "```python\n%s```\n\n", a.Python(a.Base(), "."))
	b.WriteString("The last folder is the one of this file.\n")
	if a.Base() != a.Config.BaseModel {
		fmt.Fprintf(&b, "`model-folder` is a copy of `%s` that transformers reads: `tune export -model %s -out model-folder` writes one.\n"+
			"Where that folder holds a .gguf file, both from_pretrained of the model and the tokenizer need gguf_file=\"NAME.gguf\" too.\n", a.Config.BaseModel, a.Config.BaseModel)
	}
	if !a.inWeights() && a.Config.TaskType != SeqToSeq {
		b.WriteString("\nDon't ask it by `model.generate`: with transformers 5, PEFT 0.21.2 leaves the prefix out there\n" +
			"without a word. It tells the first pass by `cache_position`, which transformers no longer passes.\n" +
			"The lines above hand the prefix over as `past_key_values`.\n")
	}
	b.WriteString(a.account())
	return []byte(b.String())
}
