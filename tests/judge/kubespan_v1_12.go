//go:build v1_11 || v1_12

package main

import (
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/types/v1alpha1"
)

func withKubeSpan(enabled bool) generate.Option {
	if !enabled {
		return generate.WithNetworkOptions()
	}

	return generate.WithNetworkOptions(v1alpha1.WithKubeSpan())
}
