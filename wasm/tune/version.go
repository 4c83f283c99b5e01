package main

import (
	"context"
	"fmt"

	"prelude/ui/about"
)

func runVersion(_ context.Context, args []string) error {
	if err := newFlags("version").parse(args); err != nil {
		return err
	}
	fmt.Printf("prelude %s (licence: %s, source: %s)\n", about.Version, about.Licence, about.Source)
	return nil
}
