package webgpu

// Limits is what an adapter grants, in the units of the WebGPU specification.
type Limits struct {
	Buffer          int64 `json:"maxBufferSize"`
	Binding         int64 `json:"maxStorageBufferBindingSize"`
	StorageBuffers  int   `json:"maxStorageBuffersPerShaderStage"`
	WorkgroupMemory int   `json:"maxComputeWorkgroupStorageSize"`
	Invocations     int   `json:"maxComputeInvocationsPerWorkgroup"`
	Workgroups      int   `json:"maxComputeWorkgroupsPerDimension"`
	Subgroups       bool  `json:"-"` // the features of these names
	Half            bool  `json:"-"` // shader-f16
	Dot8            bool  `json:"-"` // packed_4x8_integer_dot_product, of the language
}

// DefaultLimits are the limits that every WebGPU device grants.
var DefaultLimits = Limits{Buffer: 256 << 20, Binding: 128 << 20, StorageBuffers: 8, WorkgroupMemory: 16 << 10,
	Invocations: 256, Workgroups: 65535}

// align is the alignment of a binding's range in bytes: WebGPU's default for storage and
// for uniform blocks. Many adapters grant a smaller one for storage, but that saves nothing.
const align = 256

// arena is the size of the largest scratch buffer, chosen so that it can be bound whole.
func (l Limits) arena() int64 { return min(l.Buffer, l.Binding) / align * align }
