package data

import "testing"

// TestEndedAlready: a completion that ends in one of the model's end tokens, as text, loses it: training
// puts its own, once. One inside stays, and a completion of nothing else.
func TestEndedAlready(t *testing.T) {
	c := Encoding{Ends: []string{"</s>", "<|im_end|>", ""}}
	for text, want := range map[string]string{"a": "a", "a</s>": "a", "a<|im_end|>\n": "a", "a</s> b": "a</s> b", "</s>": "</s>", " </s>": " </s>", "a \n": "a \n"} {
		if got := c.endless(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
