package data

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Prompts that read the same are on one side, however they are spelled.
func TestSplitBySpelling(t *testing.T) {
	var plain, chats []Example
	for i := range 40 {
		for _, form := range []string{"Caf\u00e9 number %d?", "caf\u00e9  NUMBER %d?\n", " Cafe\u0301\tnumber %d?"} {
			asked := fmt.Sprintf(form, i)
			plain = append(plain, Example{Prompt: asked, Completion: fmt.Sprint(len(plain), " is said at length")})
			chats = append(chats, Example{Shape: Messages, Messages: []Message{{Role: "user", Content: asked}, {Role: "assistant", Content: fmt.Sprint(len(chats))}}})
		}
	}
	for _, all := range [][]Example{plain, chats} {
		for seed := range uint64(10) {
			train, val, notes := Split(all, 0.25, seed)
			side := map[string]bool{}
			for _, e := range train {
				side[promptKey(e)] = true
			}
			for _, e := range val {
				if side[promptKey(e)] {
					t.Fatalf("%q is on both sides", promptKey(e))
				}
			}
			if len(val) != 30 || len(train) != 90 || notes != nil {
				t.Errorf("%d and %d, notes %q", len(train), len(val), notes)
			}
		}
	}
}

// Few different completions are labels, and each has its share on both sides.
func TestSplitByAnswer(t *testing.T) {
	var all []Example
	for i := range 120 {
		answer := " common"
		if i >= 110 {
			answer = " rare "
		}
		all = append(all, Example{Prompt: fmt.Sprint("p", i), Completion: answer})
	}
	for seed := range uint64(20) {
		_, val, _ := Split(all, 0.2, seed)
		rare := 0
		for _, e := range val {
			if strings.TrimSpace(e.Completion) == "rare" {
				rare++
			}
		}
		if len(val) != 24 || rare != 2 {
			t.Errorf("seed %d: %d of %d are rare, want 2 of 24", seed, rare, len(val))
		}
	}
	same := make([]string, 90)
	for i := range same {
		same[i] = fmt.Sprint(" ", i%30)
	}
	if got := FewLabels(same); len(got) != 30 || got[0] != "0" {
		t.Errorf("labels %q", got)
	}
	if got := FewLabels(same[:89]); got != nil {
		t.Errorf("fewer than three examples a label: %q", got)
	}
	if got := FewLabels(append(same, make([]string, 9)...)); got != nil {
		t.Errorf("31 labels: %q", got)
	}
}

func TestApart(t *testing.T) {
	train := []Example{{Prompt: "A b", Completion: " 1"}, {Prompt: "c", Completion: " 2"}}
	rest, notes := Apart(train, []Example{{Prompt: "a  B", Completion: " 9"}}, "validation")
	if !reflect.DeepEqual(rest, train[1:]) || len(notes) != 1 || !strings.Contains(notes[0], "1 example left out: the validation file asks the same") {
		t.Errorf("%+v, %q", rest, notes)
	}
	chat := Example{Shape: Messages, Messages: []Message{{Role: "user", Content: "x"}, {Role: "assistant", Content: "old"}}}
	if got := chat.WithAnswer("new"); got.Answer() != "new" || chat.Answer() != "old" {
		t.Errorf("%+v of %+v", got, chat)
	}
}
