package webgpu

import "context"

// Probe returns the adapter that a device would use, or an error that says why there is
// none.
func Probe(ctx context.Context) (Adapter, error) {
	dev, err := Open(ctx, Options{})
	if err != nil {
		return Adapter{}, err
	}
	defer dev.Close()
	return dev.Adapter(), nil
}

// Software reports whether the adapter computes on the CPU, where other devices are faster.
// The names are Chromium's; "software" is Mesa's llvmpipe.
func (a Adapter) Software() bool {
	return a.Fallback || a.Architecture == "swiftshader" || a.Architecture == "software" || a.Architecture == "warp"
}
