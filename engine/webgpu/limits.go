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

// DefaultLimits is what every WebGPU device grants unasked.
var DefaultLimits = Limits{Buffer: 256 << 20, Binding: 128 << 20, StorageBuffers: 8, WorkgroupMemory: 16 << 10,
	Invocations: 256, Workgroups: 65535}

// align is the multiple at which the range of a binding begins, in bytes: WebGPU's default
// for storage and for uniform blocks alike. Many adapters grant less for storage alone,
// which would save nothing.
const align = 256

// arena is the size of the largest scratch buffer: whatever lies in it can be bound whole.
func (l Limits) arena() int64 { return min(l.Buffer, l.Binding) / align * align }
