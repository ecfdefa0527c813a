// Writes trees as YAML with the libraries that the Image Factory uses or has used.
//
// Standard input has one JSON value per line; for each, standard output has one line: a JSON list of the texts
// that the libraries make of it, in the order v3, v4. Lists and mappings keep their order.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	v4 "go.yaml.in/yaml/v4"
	v3 "gopkg.in/yaml.v3"
)

// MetaValue, Overlay and the rest have the keys of a schematic, in the order that decides about its id.
type MetaValue struct {
	Key   uint8  `json:"key" yaml:"key"`
	Value string `json:"value" yaml:"value"`
}

type Overlay struct {
	Image   string         `json:"image" yaml:"image"`
	Name    string         `json:"name" yaml:"name"`
	Options map[string]any `json:"options" yaml:"options,omitempty"`
}

type Customization struct {
	ExtraKernelArgs  []string    `json:"extraKernelArgs" yaml:"extraKernelArgs,omitempty"`
	Meta             []MetaValue `json:"meta" yaml:"meta,omitempty"`
	SystemExtensions struct {
		OfficialExtensions []string `json:"officialExtensions" yaml:"officialExtensions,omitempty"`
	} `json:"systemExtensions" yaml:"systemExtensions,omitempty"`
	Bootloader string `json:"bootloader" yaml:"bootloader,omitempty"`
	SecureBoot struct {
		EnrollKeys                   string `json:"enrollKeys" yaml:"enrollKeys,omitempty"`
		IncludeWellKnownCertificates bool   `json:"includeWellKnownCertificates" yaml:"includeWellKnownCertificates,omitempty"`
	} `json:"secureboot" yaml:"secureboot,omitempty"`
	DiskImage struct {
		SectorSize uint `json:"sectorSize" yaml:"sectorSize,omitempty"`
	} `json:"diskImage" yaml:"diskImage,omitempty"`
}

type Schematic struct {
	Overlay       Overlay       `json:"overlay" yaml:"overlay,omitempty"`
	Customization Customization `json:"customization" yaml:"customization"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var tree Schematic
		if err := json.Unmarshal(lines.Bytes(), &tree); err != nil {
			log.Fatal(err)
		}
		third, err := v3.Marshal(&tree)
		if err != nil {
			log.Fatal(err)
		}
		fourth, err := v4.Marshal(&tree)
		if err != nil {
			log.Fatal(err)
		}
		if err := out.Encode([]string{string(third), string(fourth)}); err != nil {
			log.Fatal(err)
		}
	}
}
