#!/usr/bin/env bash
# sigs.k8s.io/structured-merge-diff v6.3.0 (the merge behind Kubernetes' server-side apply)
#
# The guess: a forced apply by the owner of a list entry brings that entry back whatever somebody else edited in it.
# What is seen: editing a *key* of the entry (a Service's port 80 -> 81) makes it another entry, which the editor owns.
#   The forced apply adds ours again and leaves theirs: two entries beside each other. For a Service's ports the API
#   server then refuses the whole apply, because both have the same name, and it does so for ever.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder" && rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"fmt"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

const schema = `types:
- name: service
  map:
    fields:
    - name: ports
      type:
        list:
          elementRelationship: associative
          keys: [port]
          elementType:
            map:
              fields:
              - {name: port, type: {scalar: numeric}}
              - {name: name, type: {scalar: string}}
`

type same struct{}

func (same) Convert(o *typed.TypedValue, _ fieldpath.APIVersion) (*typed.TypedValue, error) { return o, nil }
func (same) IsMissingVersionError(error) bool                                              { return false }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	kind := must(typed.NewParser(schema)).Type("service")
	ours := must(kind.FromYAML("ports: [{port: 80, name: http}]"))
	updater := (&merge.UpdaterBuilder{Converter: same{}}).BuildUpdater()
	live, managers, err := updater.Apply(must(kind.FromYAML("{}")), ours, "v1", fieldpath.ManagedFields{}, "owner", true)
	must(0, err)
	edited := must(kind.FromYAML("ports: [{port: 81, name: http}]"))
	live, managers, err = updater.Update(live, edited, "v1", managers, "editor")
	must(0, err)
	live, _, err = updater.Apply(live, ours, "v1", managers, "owner", true)
	must(0, err)
	for _, port := range live.AsValue().Unstructured().(map[string]any)["ports"].([]any) {
		fmt.Println(port)
	}
}
GO
go mod init example >/dev/null 2>&1
go get sigs.k8s.io/structured-merge-diff/v6@v6.3.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
seen=$(go run . | sort)
echo "$seen"
[ "$seen" = $'map[name:http port:80]\nmap[name:http port:81]' ] || { echo "changed: see above" >&2; exit 1; }
# Output:
#   map[name:http port:80]
#   map[name:http port:81]
