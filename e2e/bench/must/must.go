// Package must ends a bench that can't go on.
package must

import "log"

// Get is the value of a call that did not fail; where one did, the program ends with its error.
func Get[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
