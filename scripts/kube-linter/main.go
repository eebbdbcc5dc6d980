// Package main is kube-linter's own main: its module path names a host that is not everywhere to be had, and a
// replacement in go.mod, which takes it from its repository, only works from a module of one's own.
package main

import (
	"fmt"
	"os"

	"golang.stackrox.io/kube-linter/pkg/command/root"
	_ "golang.stackrox.io/kube-linter/pkg/templates/all"
)

func main() {
	if err := root.Command().Execute(); err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\n", err)
		os.Exit(1)
	}
}
