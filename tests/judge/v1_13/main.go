// The judge: Talos's own configuration library of one minor release, asked about what prov makes.
//
// It reads one JSON request from standard input and answers with one JSON object:
//
//	{"do": "validate", "config": text, "mode": "cloud" | "metal"}  → {"error": text, "warnings": [text]}
//	{"do": "generate", "secrets": text, "cluster": …, "endpoint": …, "kubernetes": …, "disk": …}
//	                                                                → {"controlplane": text, "worker": text}
//	{"do": "merge", "base": text, "patch": text}                    → {"config": text} or {"error": text}
//	{"do": "encode", "config": text}                                → {"config": text}, as the library writes it
//	{"do": "secrets"}                                               → {"secrets": text}, a bundle of its own
package main

import (
	"encoding/json"
	"os"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

const contract = "v1.13"

type request struct {
	Do, Config, Mode, Secrets, Cluster, Endpoint, Kubernetes, Disk, Base, Patch string
}

type answer map[string]any

type mode struct{ name string }

func (m mode) String() string        { return m.name }
func (m mode) RequiresInstall() bool { return m.name == "metal" }
func (m mode) InContainer() bool     { return false }

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}

	said, err := judge(asked)
	if err != nil {
		said = answer{"error": err.Error()}
	}

	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		panic(err)
	}
}

func judge(asked request) (answer, error) {
	switch asked.Do {
	case "validate":
		return validate(asked)
	case "generate":
		return generateConfigs(asked)
	case "merge":
		return merge(asked)
	case "encode":
		return encode(asked)
	default:
		return ownSecrets()
	}
}

func validate(asked request) (answer, error) {
	provider, err := configloader.NewFromBytes([]byte(asked.Config))
	if err != nil {
		return nil, err
	}

	warnings, err := provider.Validate(mode{asked.Mode}, validation.WithLocal())
	if err != nil {
		return nil, err
	}

	return answer{"error": "", "warnings": append([]string{}, warnings...)}, nil
}

func generateConfigs(asked request) (answer, error) {
	file, err := os.CreateTemp("", "secrets-*.yaml")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())

	if _, err = file.WriteString(asked.Secrets); err != nil {
		return nil, err
	}

	bundle, err := secrets.LoadBundle(file.Name())
	if err != nil {
		return nil, err
	}

	if err = bundle.Validate(); err != nil {
		return nil, err
	}

	version, err := config.ParseContractFromVersion(contract)
	if err != nil {
		return nil, err
	}

	input, err := generate.NewInput(asked.Cluster, asked.Endpoint, asked.Kubernetes,
		generate.WithSecretsBundle(bundle), generate.WithVersionContract(version),
		generate.WithInstallDisk(asked.Disk))
	if err != nil {
		return nil, err
	}

	made := answer{}

	for _, role := range []machine.Type{machine.TypeControlPlane, machine.TypeWorker} {
		provider, err := input.Config(role)
		if err != nil {
			return nil, err
		}

		text, err := provider.EncodeBytes(encoder.WithComments(encoder.CommentsDisabled))
		if err != nil {
			return nil, err
		}

		made[role.String()] = string(text)
	}

	return made, nil
}

func merge(asked request) (answer, error) {
	base, err := configloader.NewFromBytes([]byte(asked.Base), configloader.WithAllowPatchDelete())
	if err != nil {
		return nil, err
	}

	patch, err := configpatcher.LoadPatch([]byte(asked.Patch))
	if err != nil {
		return nil, err
	}

	out, err := configpatcher.Apply(configpatcher.WithConfig(base), []configpatcher.Patch{patch})
	if err != nil {
		return nil, err
	}

	merged, err := out.Config()
	if err != nil {
		return nil, err
	}

	text, err := merged.EncodeBytes(encoder.WithComments(encoder.CommentsDisabled))
	if err != nil {
		return nil, err
	}

	return answer{"config": string(text)}, nil
}

func encode(asked request) (answer, error) {
	provider, err := configloader.NewFromBytes([]byte(asked.Config))
	if err != nil {
		return nil, err
	}

	text, err := provider.EncodeBytes(encoder.WithComments(encoder.CommentsDisabled))
	if err != nil {
		return nil, err
	}

	return answer{"config": string(text)}, nil
}

func ownSecrets() (answer, error) {
	version, err := config.ParseContractFromVersion(contract)
	if err != nil {
		return nil, err
	}

	bundle, err := secrets.NewBundle(secrets.NewFixedClock(time.Now()), version)
	if err != nil {
		return nil, err
	}

	text, err := yaml.Marshal(bundle)
	if err != nil {
		return nil, err
	}

	return answer{"secrets": string(text)}, nil
}
