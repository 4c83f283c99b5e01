package main

import (
	"net/http"
	"time"
)

// pace ends connections that do not move. A body that is no upload has patience to arrive
// (uploads have site.API's own limit). An answer may stand still for as long, and takes no
// longer in all than patience and its bytes at slowest a second.
type pace struct {
	patience time.Duration
	slowest  int64 // bytes a second
	uploads  time.Duration
}

func (p pace) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control, begin := http.NewResponseController(w), time.Now()
		if r.Body != http.NoBody {
			limit := p.patience
			if r.Method == http.MethodPost {
				limit += p.uploads
			}
			// A server of net/http has deadlines; an error would be a connection's that is gone.
			_ = control.SetReadDeadline(begin.Add(limit))
		}
		_ = control.SetWriteDeadline(begin.Add(p.patience))
		next.ServeHTTP(&pacedWriter{ResponseWriter: w, pace: p, control: control, begin: begin}, r)
	})
}

// pacedWriter moves the deadline along with what is written.
type pacedWriter struct {
	http.ResponseWriter
	pace    pace
	control *http.ResponseController
	begin   time.Time
	written int64
}

// piece is how much is written under one deadline, in bytes.
const piece = 64 << 10

func (w *pacedWriter) Write(p []byte) (n int, err error) {
	for first := true; first || n < len(p); first = false {
		part := p[n:min(n+piece, len(p))]
		now := time.Now()
		still := now.Add(w.pace.patience)
		// An answer begins when its first byte does: an upload may have come before.
		if w.written == 0 {
			w.begin = now
		}
		inAll := w.begin.Add(w.pace.patience + time.Duration((w.written+int64(len(part)))/w.pace.slowest)*time.Second)
		if inAll.Before(still) {
			still = inAll
		}
		_ = w.control.SetWriteDeadline(still)
		m, err := w.ResponseWriter.Write(part)
		n += m
		w.written += int64(m)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Unwrap lets http.ResponseController through.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
