package tokenizer

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// hard is text that tokenizers get wrong.
const hard = "Hello  world!\tI'm we'll DON'T  \n\n  x = 12345 + 3.14  \r\n你好,世界 🤷‍♂️ e\u0301 café ½ ²³ ٣٤ \u00a0\u3000 ’s ﬁ <|endoftext|> end  "

func trained(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := Train([]string{strings.Repeat("the cat sat on the mat. "+hard, 3)}, Training{Vocab: 400, Special: []string{"<|endoftext|>"}})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestTrainedTokenizerSurvivesItsFile(t *testing.T) {
	tok := trained(t)
	var file bytes.Buffer
	if err := tok.WriteJSON(&file); err != nil {
		t.Fatal(err)
	}
	again, err := FromJSON(&file)
	if err != nil {
		t.Fatal(err)
	}
	ids := tok.Encode(hard, true)
	if got := again.Encode(hard, true); !slices.Equal(got, ids) {
		t.Errorf("after writing and reading: %v, want %v", got, ids)
	}
	if got := again.Decode(ids); got != hard {
		t.Errorf("decoded %q, want %q", got, hard)
	}
	if eos, _ := again.ID("<|endoftext|>"); again.EOS() != eos {
		t.Errorf("EOS is %d, want %d", again.EOS(), eos)
	}
}
