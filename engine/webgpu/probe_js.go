package webgpu

import "context"

// Probe says what a device would run on, or why there is none: what the page shows
// before anything is chosen.
func Probe(ctx context.Context) (Adapter, error) {
	dev, err := Open(ctx, Options{})
	if err != nil {
		return Adapter{}, err
	}
	defer dev.Close()
	return dev.Adapter(), nil
}

// Software says that the adapter computes on the CPU: other devices are faster. The names
// are Chromium's, "software" that of Mesa's llvmpipe.
func (a Adapter) Software() bool {
	return a.Fallback || a.Architecture == "swiftshader" || a.Architecture == "software" || a.Architecture == "warp"
}
