package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

const v1 = "../../../schemas/v1"

// contract looks a frame up by its type and an event by its kind: then an error says where it is, and a kind that is not
// known yet is no error.
type contract struct {
	compiler  *jsonschema.Compiler
	catalogue object
}

func parse(file string) object {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	return decode(string(text))
}

func decode(text string) object {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	return value.(object)
}

// files is the fixtures of a folder by name.
func files(folder string) map[string]object {
	found := map[string]object{}
	paths, _ := filepath.Glob(filepath.Join(v1, "fixtures", folder, "*.json"))
	for _, path := range paths {
		found[strings.TrimSuffix(filepath.Base(path), ".json")] = parse(path)
	}
	return found
}

func load(bundle string) contract {
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("urn:otter", parse(filepath.Join(v1, bundle))); err != nil {
		log.Fatal(err)
	}
	return contract{compiler, parse(filepath.Join(v1, "catalogue.json"))}
}

// row is the row of a name in a part of the catalogue.
func (c contract) row(part, key string, name any) object {
	for _, row := range list(c.catalogue[part]) {
		if row[key] == name {
			return row
		}
	}
	return nil
}

// check is where a value breaks a definition, as JSON pointers.
func (c contract) check(reference any, value any, prefix string) []string {
	schema := c.compiler.MustCompile("urn:otter" + reference.(string))
	var invalid *jsonschema.ValidationError
	if errors.As(schema.Validate(value), &invalid) {
		return places(invalid, prefix)
	}
	return nil
}

func places(invalid *jsonschema.ValidationError, prefix string) (found []string) {
	for _, cause := range invalid.Causes {
		found = append(found, places(cause, prefix)...)
	}
	place := prefix
	for _, step := range invalid.InstanceLocation {
		place += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
	}
	if missing, is := invalid.ErrorKind.(*kind.Required); is {
		place += "/" + missing.Missing[0]
	}
	if len(invalid.Causes) == 0 {
		found = append(found, place)
	}
	return found
}

// checked is a frame of the hub that keeps the contract.
func (c contract) checked(frame object) object {
	if faults := c.frame("hub", frame); len(faults) > 0 {
		log.Fatal(frame["type"], faults)
	}
	return frame
}

// frame is where a frame breaks the contract, its events included.
func (c contract) frame(from string, frame object) []string {
	for _, row := range list(c.catalogue["frames"]) {
		if row["from"] != from || row["frame"] != frame["type"] {
			continue
		}
		found := c.check(row["schema"], frame, "")
		if from == "hub" && frame["type"] == "events" {
			for at, event := range list(frame["events"]) {
				reference := any("#/$defs/RecordedEvent")
				if kind := c.row("kinds", "kind", event["kind"]); kind != nil {
					reference = kind["event"]
				}
				found = append(found, c.check(reference, event, fmt.Sprint("/events/", at))...)
			}
		}
		return found
	}
	return []string{"/type"}
}
