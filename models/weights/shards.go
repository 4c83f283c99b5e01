package weights

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// shardName is how transformers names the parts of a checkpoint: model-00001-of-00005.safetensors.
var shardName = regexp.MustCompile(`^(.+)-(\d{5})-of-(\d{5})\.safetensors$`)

// IsShard says whether a file is one of several by its name.
func IsShard(name string) bool {
	m := shardName.FindStringSubmatch(name)
	return m != nil && m[3] != "00001"
}

// IndexShards makes the index (model.safetensors.index.json) of files that came without theirs, from
// what each of them says that it holds. Nil: the names are none that belong together. An error names
// the first that is missing.
func IndexShards(ctx context.Context, names []string, open Opener) ([]byte, error) {
	whole, parts := "", ""
	for _, name := range names {
		m := shardName.FindStringSubmatch(name)
		switch {
		case m == nil && strings.HasSuffix(name, ".safetensors"), m != nil && whole != "" && (m[1] != whole || m[3] != parts):
			return nil, nil // one model's file, or several models
		case m != nil:
			whole, parts = m[1], m[3]
		}
	}
	n, _ := strconv.Atoi(parts)
	if whole == "" || n > mostParts {
		return nil, nil
	}
	of := map[string]string{}
	for i := 1; i <= n; i++ {
		name := fmt.Sprintf("%s-%05d-of-%s.safetensors", whole, i, parts)
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%s is missing, one of %d files: bring all of them together: %w", name, n, fs.ErrNotExist)
		}
		src, err := open(ctx, name)
		if err != nil {
			return nil, err
		}
		c, err := Open(ctx, src, nil)
		if err != nil {
			return nil, err
		}
		for _, t := range c.Tensors {
			if before, twice := of[t.Name]; twice {
				return nil, fmt.Errorf("%s and %s both have the tensor %q: these are parts of two models", before, name, t.Name)
			}
			of[t.Name] = name
		}
	}
	return json.Marshal(map[string]any{"weight_map": of})
}
