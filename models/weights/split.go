package weights

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
)

// splitName is how llama.cpp's gguf-split names the parts of a file: name-00001-of-00005.gguf.
var splitName = regexp.MustCompile(`^(.+)-(\d{5})-of-(\d{5})\.gguf$`)

// mostParts bounds the parts of one file.
const mostParts = 1000

// SplitGGUF reads the name of a part of a GGUF file: what the file is called without the
// part's number, and how many parts there are. False: the name is not a part's.
func SplitGGUF(name string) (whole string, part, parts int, ok bool) {
	m := splitName.FindStringSubmatch(name)
	if m == nil {
		return "", 0, 0, false
	}
	part, _ = strconv.Atoi(m[2])
	parts, _ = strconv.Atoi(m[3])
	return m[1], part, parts, parts > 1 && part >= 1 && part <= parts
}

// addSplit appends the tensors of all parts of a GGUF file, of which src is one. The first
// part has the metadata, and each of them says in split.no and split.count which it is.
func (c *Catalog) addSplit(ctx context.Context, src Source, whole string, own, parts int, open Opener) error {
	if parts > mostParts {
		return fmt.Errorf("it is one of %d parts, at most %d are read", parts, mostParts)
	}
	if open == nil {
		return fmt.Errorf("it is one of %d parts, and the others can't be opened from here", parts)
	}
	for n := 1; n <= parts; n++ {
		part := src
		if n != own {
			var err error
			name := fmt.Sprintf("%s-%05d-of-%05d.gguf", whole, n, parts)
			if part, err = open(ctx, name); err != nil {
				err = fmt.Errorf("part %d of %d: %w", n, parts, err)
				if errors.Is(err, fs.ErrNotExist) {
					err = fmt.Errorf("%w: bring all %d together", err, parts)
				}
				return errors.Join(err, c.Close())
			}
			c.opened = append(c.opened, part)
		}
		metadata := c.GGUF
		if err := c.addGGUF(ctx, part); err != nil {
			return errors.Join(fmt.Errorf("part %d of %d: %w", n, parts, err), c.Close())
		}
		no, _ := c.GGUF.Int("split.no")
		count, _ := c.GGUF.Int("split.count")
		if no != int64(n-1) || count != int64(parts) {
			return errors.Join(fmt.Errorf("part %d of %d says split.no %d and split.count %d", n, parts, no, count), c.Close())
		}
		if n > 1 {
			c.GGUF = metadata
		}
	}
	if want, ok := c.GGUF.Int("split.tensors.count"); ok && want != int64(len(c.Tensors)) {
		return errors.Join(fmt.Errorf("its parts have %d tensors, the first says %d", len(c.Tensors), want), c.Close())
	}
	return nil
}
