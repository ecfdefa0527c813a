//go:build v1_14

package main

import "github.com/siderolabs/talos/pkg/machinery/config/generate"

func withCNI(manifest string) generate.Option { return generate.WithCustomCNIUrl(manifest) }
