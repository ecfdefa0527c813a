// The judge: Talos's own configuration library of one minor release, asked about what prov makes.
//
// One text for all releases. Which one is asked is said when it is built: each folder beside this file has the
// module of one minor release, and the tag chooses the few functions that releases have under different names.
//
//	go build -modfile=v1_14/go.mod -tags=v1_14 -o … .
//
// It reads JSON requests from standard input, one after the other, and answers each with one JSON object:
//
//	{"do": "validate", "config": text, "mode": "cloud" | "metal" | "container"}
//	                                                  → {"error": text, "warnings": [text]}
//	{"do": "generate", "contract": "v1.14", "secrets": text, "cluster": …, "endpoint": …, "kubernetes": …, …}
//	                                                  → {"controlplane": text, "worker": text}
//	{"do": "merge", "base": text, "patch": text}      → {"config": text} or {"error": text}
//	{"do": "encode", "config": text}                  → {"config": text}, as the library writes it
//	{"do": "release", "talos": "v1.14.1", "kubernetes": "1.37.0"}
//	                                                  → {"kubernetes": its default, "fits": whether it runs the other}
//	{"do": "redact", "config": text}                  → {"config": text}, with what it holds for secret replaced
//	{"do": "secrets", "contract": "v1.14"}            → {"secrets": text}, a bundle of its own
//	{"do": "bundle", "contract": "v1.14", "secrets": text}
//	                                                  → {"yaml": text, "json": text}, as the library writes it
//	{"do": "recover", "config": text}                 → {"secrets": text}, as it reads them out of a configuration
//
// Further wishes for "generate" are the fields of `wishes`. What goes wrong is the "error" of an answer; where the
// library itself breaks down, that begins with "panic".
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"gopkg.in/yaml.v3"

	machineapi "github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/compatibility"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
	"github.com/siderolabs/talos/pkg/machinery/constants"
)

type request struct {
	wishes

	Do, Config, Mode, Base, Patch, Contract, Secrets, Talos string
}

// wishes are what a user can tell the generator; a zero value is a wish not made.
type wishes struct {
	Cluster, Endpoint, Kubernetes, Disk, Image, Domain, CNI string

	SANs       []string
	KernelArgs []string
	Sysctls    map[string]string
	Mirrors    map[string][]string
	Scheduling bool
	KubeSpan   *bool
	Discovery  *bool
	KubePrism  *int
	Port       int
}

type answer map[string]any

type mode struct{ name string }

func (m mode) String() string        { return m.name }
func (m mode) RequiresInstall() bool { return m.name == "metal" }
func (m mode) InContainer() bool     { return m.name == "container" }

func main() {
	requests, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)

	for {
		var asked request

		err := requests.Decode(&asked)
		if errors.Is(err, io.EOF) {
			return
		}

		if err != nil {
			panic(err)
		}

		if err = answers.Encode(said(asked)); err != nil {
			panic(err)
		}
	}
}

func said(asked request) (spoken answer) {
	defer func() {
		if trouble := recover(); trouble != nil {
			spoken = answer{"error": fmt.Sprintf("panic: %v", trouble)}
		}
	}()

	spoken, err := judge(asked)
	if err != nil {
		spoken = answer{"error": err.Error()}
	}

	return spoken
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
	case "redact":
		return redact(asked)
	case "release":
		return release(asked)
	case "secrets":
		return ownSecrets(asked)
	case "bundle":
		return rewritten(asked)
	case "recover":
		return secretsOf(asked)
	default:
		return nil, fmt.Errorf("nobody knows how to %q", asked.Do)
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
	contract, err := config.ParseContractFromVersion(asked.Contract)
	if err != nil {
		return nil, err
	}

	bundle, err := loadedBundle(asked.Secrets, contract)
	if err != nil {
		return nil, err
	}

	options := append(wished(asked.wishes), generate.WithSecretsBundle(bundle), generate.WithVersionContract(contract))

	input, err := generate.NewInput(asked.Cluster, asked.Endpoint, asked.Kubernetes, options...)
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

func wished(asked wishes) []generate.Option {
	options := []generate.Option{
		generate.WithInstallDisk(asked.Disk),
		generate.WithInstallImage(asked.Image),
		generate.WithInstallExtraKernelArgs(asked.KernelArgs),
		generate.WithAdditionalSubjectAltNames(asked.SANs),
		generate.WithAllowSchedulingOnControlPlanes(asked.Scheduling),
		generate.WithLocalAPIServerPort(asked.Port),
	}

	if asked.Domain != "" {
		options = append(options, generate.WithDNSDomain(asked.Domain))
	}

	if asked.CNI != "" {
		options = append(options, withCNI(asked.CNI))
	}

	if asked.KubeSpan != nil {
		options = append(options, withKubeSpan(*asked.KubeSpan))
	}

	if asked.Discovery != nil {
		options = append(options, generate.WithClusterDiscovery(*asked.Discovery))
	}

	if asked.KubePrism != nil {
		options = append(options, generate.WithKubePrismPort(*asked.KubePrism))
	}

	if asked.Sysctls != nil {
		options = append(options, generate.WithSysctls(asked.Sysctls))
	}

	for host, endpoints := range asked.Mirrors {
		options = append(options, generate.WithRegistryMirror(host, endpoints...))
	}

	return options
}

func loadedBundle(text string, contract *config.VersionContract) (*secrets.Bundle, error) {
	file, err := os.CreateTemp("", "secrets-*.yaml")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())

	if _, err = file.WriteString(text); err != nil {
		return nil, err
	}

	bundle, err := secrets.LoadBundle(file.Name())
	if err != nil {
		return nil, err
	}

	return bundle, checked(bundle, contract)
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

func redact(asked request) (answer, error) {
	provider, err := configloader.NewFromBytes([]byte(asked.Config))
	if err != nil {
		return nil, err
	}

	text, err := provider.RedactSecrets("REDACTED").EncodeBytes(encoder.WithComments(encoder.CommentsDisabled))
	if err != nil {
		return nil, err
	}

	return answer{"config": string(text)}, nil
}

func release(asked request) (answer, error) {
	talos, err := compatibility.ParseTalosVersion(&machineapi.VersionInfo{Tag: asked.Talos})
	if err != nil {
		return nil, err
	}

	kubernetes, err := compatibility.ParseKubernetesVersion(asked.Kubernetes)
	if err != nil {
		return nil, err
	}

	fits := kubernetes.SupportedWith(talos) == nil

	return answer{"kubernetes": constants.DefaultKubernetesVersion, "fits": fits}, nil
}

func ownSecrets(asked request) (answer, error) {
	contract, err := config.ParseContractFromVersion(asked.Contract)
	if err != nil {
		return nil, err
	}

	bundle, err := secrets.NewBundle(secrets.NewFixedClock(time.Now()), contract)
	if err != nil {
		return nil, err
	}

	text, err := yaml.Marshal(bundle)
	if err != nil {
		return nil, err
	}

	return answer{"secrets": string(text)}, nil
}

func rewritten(asked request) (answer, error) {
	contract, err := config.ParseContractFromVersion(asked.Contract)
	if err != nil {
		return nil, err
	}

	bundle, err := loadedBundle(asked.Secrets, contract)
	if err != nil {
		return nil, err
	}

	asYAML, err := yaml.Marshal(bundle)
	if err != nil {
		return nil, err
	}

	asJSON, err := json.Marshal(bundle)
	if err != nil {
		return nil, err
	}

	return answer{"yaml": string(asYAML), "json": string(asJSON)}, nil
}

func secretsOf(asked request) (answer, error) {
	provider, err := configloader.NewFromBytes([]byte(asked.Config))
	if err != nil {
		return nil, err
	}

	bundle, err := recovered(provider)
	if err != nil {
		return nil, err
	}

	text, err := yaml.Marshal(bundle)
	if err != nil {
		return nil, err
	}

	return answer{"secrets": string(text)}, nil
}
