package webgpu

import _ "embed"

// Driver is a script that records and submits compiled plans. It must be loaded, as a file,
// before the program opens a device. The site's build copies it, and the worker loads it
// by importScripts("webgpu.js").
//
//go:embed driver.js
var Driver string
