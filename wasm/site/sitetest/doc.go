// Package sitetest is the conformance suite of the site's handler, in whatever
// home it runs: [Run] takes an address and tests what answers there. Every answer
// is also held to openapi.json, and every answer that openapi.json lists must
// have been seen by the end, so neither can say what the other does not.
package sitetest
