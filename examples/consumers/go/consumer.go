// A reader of Otter's contract: checks frames by the published schema, reduces them, proves itself on every vector.
package main

import (
	"fmt"
	"hash/fnv"
	"log"
	"maps"
	"os"
	"reflect"
	"slices"
)

// scope is the rows of one scope by key: {entity, rev, value, live}, where only `live: false` is not live.
type scope map[string]object

// take applies a frame that passed the schema, which also refuses an effect whose `op` is not known.
func (s scope) take(frame object) {
	if frame["mode"] == "snapshot" {
		clear(s)
	}
	for _, row := range append(list(frame["entities"]), list(frame["rows"])...) {
		if key := row["entity"].(string); number(row["rev"]) > number(s[key]["rev"]) {
			s[key] = row
		}
	}
	for _, event := range list(frame["events"]) {
		for _, effect := range list(event["effects"]) {
			s.apply(effect, event)
		}
	}
}

func (s scope) apply(effect, event object) {
	key, seq, value := effect["entity"].(string), event["seq"], or(effect["value"], event["data"])
	old, there := s[key]
	switch op := effect["op"]; {
	case number(seq) <= number(old["rev"]) || !there && op != "put":
	case op == "put":
		s[key] = object{"entity": key, "rev": seq, "value": value}
	case op == "merge":
		s[key] = object{"entity": key, "rev": seq, "value": merge(old["value"], value), "live": old["live"]}
	case op == "evict":
		s[key] = object{"entity": key, "rev": seq, "value": old["value"], "live": false}
	case op == "delete":
		delete(s, key)
	}
}

// state is the live rows and their hash.
func (s scope) state() (any, string) {
	rows, sum := []any{}, uint64(0)
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if row := s[key]; row["live"] != false {
			rows = append(rows, object{"entity": key, "rev": row["rev"], "value": row["value"]})
			each := fnv.New64a()
			fmt.Fprintf(each, "%s\x00%v\x00%s", key, row["rev"], canonical(row["value"]))
			sum += each.Sum64()
		}
	}
	return rows, fmt.Sprintf("%016x", sum)
}

func main() {
	contract, vectors := load("otter.schema.json"), files("state")
	for name, vector := range vectors {
		for _, run := range list(vector["runs"]) {
			s := scope{}
			s.take(object{"entities": vector["start"]})
			for _, frame := range list(run["frames"]) {
				s.take(contract.checked(frame))
			}
			if rows, hash := s.state(); !reflect.DeepEqual(rows, vector["entities"]) || hash != vector["hash"] {
				log.Fatalf("%s: %s ends in %v %s", name, run["description"], rows, hash)
			}
		}
	}
	fmt.Println(len(vectors), "vectors end as they should")
	os.Exit(contract.fixtures())
}
