package site

import "net/http"

// New joins the handler of the page's files and, under /api/, that of shared
// prefixes (nil where there is none), and puts the policy's headers on all answers.
func New(files, api http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", files)
	if api != nil {
		mux.Handle("/api/", api)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			w.Header().Set(transportSecurity.Name, transportSecurity.Value)
		}
		mux.ServeHTTP(w, r)
	})
}

// NotFound answers for a home whose files are served before the handler is asked.
var NotFound = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { refuse(w, r, errNoFile) })
