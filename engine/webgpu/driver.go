package webgpu

import _ "embed"

// Driver is the script that must be loaded, as a file of its own, before the Go
// program opens a device: it records and submits what Go has compiled. The site's
// build copies it; a worker says importScripts("webgpu.js").
//
//go:embed driver.js
var Driver string
