//go:build !v1_14

package main

import (
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
)

func checked(bundle *secrets.Bundle, _ *config.VersionContract) error { return bundle.Validate() }
