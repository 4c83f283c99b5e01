package wire

// FindRate asks for a learning rate: a short training in which the rate rises from step to
// step, and the loss says where it learns fastest. Train says what would be trained.
// Answered by [RateTried] as it goes, and by [RateFound]; [Stop] ends it early.
type FindRate struct {
	ID    int   `json:"id"`
	Train Train `json:"train"`
}

// RateTried is one step of it.
type RateTried struct {
	ID   int     `json:"id"`
	Rate float64 `json:"rate"`
	Loss float64 `json:"loss"`
}

// RateFound ends it.
type RateFound struct {
	ID   int     `json:"id"`
	Rate float64 `json:"rate,omitempty"` // 0: the loss never fell
	Own  float64 `json:"own"`            // the method's own, which is used where none is asked for
}

func (FindRate) wireType() string  { return "findRate" }
func (RateTried) wireType() string { return "rateTried" }
func (RateFound) wireType() string { return "rateFound" }

func init() { register(FindRate{}, RateTried{}, RateFound{}) }
