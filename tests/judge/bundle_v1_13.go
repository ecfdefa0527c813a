//go:build !v1_14

package main

import (
	"time"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
)

func checked(bundle *secrets.Bundle, _ *config.VersionContract) error { return bundle.Validate() }

func recovered(provider config.Config) (*secrets.Bundle, error) {
	return secrets.NewBundleFromConfig(secrets.NewFixedClock(time.Now()), provider), nil
}
