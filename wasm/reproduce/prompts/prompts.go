// Package prompts shortens the E2E data to what the comparisons and benches train on.
package prompts

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// First is the first n distinct prompts of JSON Lines, each with its first reference: a line
// each, as it stands.
func First(lines []byte, n int) ([]byte, error) {
	var out bytes.Buffer
	had := map[string]bool{}
	for line := range bytes.Lines(lines) {
		var x struct{ Prompt string }
		if err := json.Unmarshal(line, &x); err != nil {
			return nil, fmt.Errorf("prompts: %.80q: %w", line, err)
		}
		if !had[x.Prompt] && len(had) < n {
			had[x.Prompt] = true
			out.Write(line)
		}
	}
	return out.Bytes(), nil
}
