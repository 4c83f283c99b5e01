package session

import (
	"strings"
	"testing"

	"prelude/ui/wire"
)

// TestWhatIsLearnedIsShown: a preview's completion is what the loss is of: of a conversation the
// last answer, or every answer on its own; where long examples are cut, they are counted, and
// refused otherwise.
func TestWhatIsLearnedIsShown(t *testing.T) {
	s := choosing(t, map[string]string{"default": plainChat})
	talk := []byte(`{"messages":[{"role":"user","content":"tea?"},{"role":"assistant","content":"cake"},{"role":"user","content":"and?"},{"role":"assistant","content":"river"}]}`)
	for _, c := range []struct {
		turns bool
		want  []string
	}{{false, []string{"[user tea?][assistant cake][user and?][assistant |river"}}, {true, []string{"[user tea?][assistant |cake", "[user tea?][assistant cake][user and?][assistant |river"}}} {
		d, err := s.SetData("talk.jsonl", talk, wire.DataOptions{Turns: c.turns})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range d.Preview {
			got = append(got, p.Prompt+"|"+p.Completion)
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("turns %v: it shows %q, want %q", c.turns, got, c.want)
		}
	}
	long := `{"prompt":"` + strings.Repeat("the mill on the river ", 300) + `","completion":" tea"}` + "\n" + `{"prompt":"guest :","completion":" cake"}`
	d, err := s.SetData("long.jsonl", []byte(long), wire.DataOptions{})
	if err != nil || len(d.Errors) != 1 || d.Errors[0].Line != 1 || d.Count != 1 {
		t.Errorf("a long example is not refused: %+v, %v", d, err)
	}
	d, err = s.Reparse(wire.DataOptions{Cut: true})
	if err != nil || len(d.Errors) != 0 || d.Count != 2 || !strings.Contains(strings.Join(d.Notes, "\n"), "1 long examples were cut") || d.MaxToks > s.model.Arch.Info().Context {
		t.Errorf("cut: %+v, %v", d, err)
	}
}
