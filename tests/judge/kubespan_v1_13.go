//go:build v1_13 || v1_14

package main

import "github.com/siderolabs/talos/pkg/machinery/config/generate"

func withKubeSpan(enabled bool) generate.Option { return generate.WithKubeSpanEnabled(enabled) }
