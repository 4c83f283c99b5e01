package webgpu
