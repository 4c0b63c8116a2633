#!/usr/bin/env bash
# helm.sh/helm/v3 v3.19.5 (pkg/strvals, the parser behind `helm --set`)
#
# The guess: `--set a=7.4` gives a chart the number 7.4, as `--set a=7` gives it the number 7 and a values file both.
# What is seen: whole numbers become numbers, fractions stay text. A values.schema.json that asks for a number refuses
#   7.4 by --set and takes it from a file; a template that compares it compares text.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder" && rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"fmt"

	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

func main() {
	bySet, err := strvals.Parse("whole=7,fraction=7.4")
	if err != nil {
		panic(err)
	}
	byFile := map[string]any{}
	if err := yaml.Unmarshal([]byte("whole: 7\nfraction: 7.4\n"), &byFile); err != nil {
		panic(err)
	}
	fmt.Printf("set: %T %T\n", bySet["whole"], bySet["fraction"])
	fmt.Printf("file: %T %T\n", byFile["whole"], byFile["fraction"])
}
GO
cat > go.mod <<'MOD'
module finding

go 1.24.0

require (
	helm.sh/helm/v3 v3.19.5
	sigs.k8s.io/yaml v1.6.0
)
MOD
go mod tidy >/dev/null 2>&1
seen=$(go run .)
echo "$seen"
expected='set: int64 string
file: float64 float64'
[ "$seen" = "$expected" ] || { echo "this has changed; it was: $expected" >&2; exit 1; }
# Output:
#   set: int64 string
#   file: float64 float64
