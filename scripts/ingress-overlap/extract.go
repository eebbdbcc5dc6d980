//go:build ignore

// extract copies functions of a Go package, and of its own declarations all that they need, into package main: what is not
// exported can be called by no other way, and the whole package takes too long to build.
//
//	extract DIRECTORY OUTPUT WITHOUT ROOT...    WITHOUT: types, by comma, that the program has itself; ROOT: a name, ".name" for a method
//
// It goes by names: a method is taken for every call of one so named on a receiver called as its own. A name that is
// missing or taken twice fails the compiler, never the check.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type declaration struct {
	node ast.Decl
	file *ast.File
}

type extraction struct {
	known   map[string]declaration // methods with a dot before their name
	without []string
	taken   []declaration
}

func (e *extraction) read(files *token.FileSet, directory string) error {
	names, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			return err
		}
		for _, node := range file.Decls {
			for _, declared := range declares(node) {
				e.known[declared] = declaration{node, file}
			}
		}
	}
	return nil
}

func declares(node ast.Decl) (names []string) {
	switch node := node.(type) {
	case *ast.FuncDecl:
		if node.Recv != nil {
			return []string{"." + node.Name.Name}
		}
		return []string{node.Name.Name}
	case *ast.GenDecl:
		for _, spec := range node.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// take notes the declaration of a name and, after it, of every name in it.
func (e *extraction) take(name string) {
	found, ok := e.known[name]
	if !ok || slices.Contains(e.without, name) || slices.Contains(e.taken, found) {
		return
	}
	e.taken = append(e.taken, found)
	ast.Inspect(found.node, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.SelectorExpr:
			if of, ok := node.X.(*ast.Ident); ok && of.Name == receiver(found.node) {
				e.take("." + node.Sel.Name)
			}
		case *ast.Ident:
			e.take(node.Name)
		}
		return true
	})
}

func receiver(node ast.Decl) string {
	if function, ok := node.(*ast.FuncDecl); ok && function.Recv != nil && len(function.Recv.List[0].Names) == 1 {
		return function.Recv.List[0].Names[0].Name
	}
	return ""
}

// imports are the imports of its file that a declaration names, as they are written.
func (d declaration) imports() (lines []string) {
	named := map[string]string{}
	for _, imported := range d.file.Imports {
		place, _ := strconv.Unquote(imported.Path.Value)
		name, line := path.Base(regexp.MustCompile(`/v[0-9]+$`).ReplaceAllString(place, "")), imported.Path.Value
		if imported.Name != nil {
			name, line = imported.Name.Name, imported.Name.Name+" "+line
		}
		named[name] = line
	}
	ast.Inspect(d.node, func(node ast.Node) bool {
		if selected, ok := node.(*ast.SelectorExpr); ok {
			if of, ok := selected.X.(*ast.Ident); ok && named[of.Name] != "" {
				lines = append(lines, named[of.Name])
			}
		}
		return true
	})
	return lines
}

func run(directory, output, without string, roots []string) error {
	files := token.NewFileSet()
	e := extraction{known: map[string]declaration{}, without: strings.Split(without, ",")}
	if err := e.read(files, directory); err != nil {
		return err
	}
	for _, root := range roots {
		if _, ok := e.known[root]; !ok {
			return fmt.Errorf("%s has no %s", directory, root)
		}
		e.take(root)
	}
	var imports []string
	var body bytes.Buffer
	for _, taken := range e.taken {
		imports = append(imports, taken.imports()...)
		body.WriteString("\n")
		if err := format.Node(&body, files, taken.node); err != nil {
			return err
		}
		body.WriteString("\n")
	}
	slices.Sort(imports)
	head := "package main\n\nimport (\n" + strings.Join(slices.Compact(imports), "\n") + "\n)\n"
	return os.WriteFile(output, append([]byte(head), body.Bytes()...), 0o600)
}

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: extract DIRECTORY OUTPUT WITHOUT ROOT...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}
