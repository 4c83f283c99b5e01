package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
)

// Vugu's DOM renderer calls window.eval once, with a fixed script that defines
// the functions it then calls. The page's Content-Security-Policy forbids eval.
// So the script becomes a file of the page, and eval a function that takes that
// very text, which has already run, and refuses any other.

const (
	domrender    = "github.com/vugu/vugu/domrender"
	helperFile   = "renderer-js-script.go"
	helperConst  = "jsHelperScript"
	guardPreface = `"use strict";
// Vugu's renderer passes its helper script to eval, which the page's policy
// forbids. The helper has run as a file of the page (vugu-helper.js): accept
// its text, evaluate nothing.
{
  const helper = `
	guardBody = `;
  if (!window.vuguRender) throw new Error("eval-guard.js: load vugu-helper.js first");
  window.eval = (text) => {
    if (text !== helper) throw new EvalError("eval is not available on this page");
  };
}
`
)

// vuguHelper is the text that the Vugu of go.mod passes to eval, out of its source.
func vuguHelper() (string, error) {
	dir, err := goOutput("list", "-f", "{{.Dir}}", domrender)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, helperFile)
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		return "", err
	}
	object := file.Scope.Lookup(helperConst)
	if object == nil {
		return "", fmt.Errorf("%s/%s: no constant %s; look where this version of Vugu keeps the script it evaluates", domrender, helperFile, helperConst)
	}
	spec, ok := object.Decl.(*ast.ValueSpec)
	if !ok || len(spec.Values) != 1 {
		return "", fmt.Errorf("%s/%s: %s is not a constant of one value", domrender, helperFile, helperConst)
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", fmt.Errorf("%s/%s: %s is not a string literal", domrender, helperFile, helperConst)
	}
	return strconv.Unquote(literal.Value)
}

// evalGuard is the script that replaces eval. JSON's strings are JavaScript's.
func evalGuard(helper string) []byte {
	text, err := json.Marshal(helper)
	if err != nil {
		panic(err) // a string always encodes
	}
	return []byte(guardPreface + string(text) + guardBody)
}
