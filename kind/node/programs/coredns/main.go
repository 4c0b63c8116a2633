// CoreDNS with the plugins that the node's Corefile names, and no others.
//
// Its own main brings some fifty more, with the clients of three clouds: most of its compilation, for names that a
// node without a way out could not look up anyway.
package main

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	coremain.Run()
}
