// Package about says what this program is: its version, its licence and where its source is.
// The page's footer, "tune version", CITATION.cff and the bill of materials take theirs from here.
package about

// Version is the version of the project, as in https://semver.org. It is raised here and
// nowhere else; CHANGELOG.md says what each version brought.
const Version = "0.1.0"

// Licence is the project's licence by its SPDX identifier.
const Licence = "MIT"

// Contact takes reports on published prefixes. The owner sets it here; until then it is an
// address under a domain that is reserved for examples.
const Contact = "abuse@prelude.example"

// Source is the address of the project's source. The owner sets it here once the project has a
// home; until then it is an address under a domain that is reserved for examples.
// CITATION.cff repeats it, and the version; a test holds it to this package.
const Source = "https://prelude.example/source"
