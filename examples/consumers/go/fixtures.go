package main

import (
	"fmt"
	"slices"
	"strings"
)

// fixtures runs the fixtures of the contract: what is valid passes, what is invalid is refused where it says, what is of a
// newer release is read, ignored, passed on or ends the reader as docs/versioning.md says.
func (c contract) fixtures() (exit int) {
	count := 0
	expect := func(name string, passed bool, found any) {
		if count++; !passed {
			fmt.Println(name, found)
			exit = 1
		}
	}
	c.valid(expect)
	c.invalid(expect)
	for name, one := range files("future/hub") {
		found := c.outcome(input(one, "frame"))
		expect("future/hub/"+name, found == one["expect"].(object)["outcome"], found)
	}
	fmt.Println(count, "fixtures")
	return exit
}

// input is what a case holds: a value, or a text.
func input(one object, member string) object {
	if raw, is := one["raw"].(string); is {
		return decode(raw)
	}
	return one[member].(object)
}

func (c contract) valid(expect func(string, bool, any)) {
	unions := map[string]string{
		"event": "Event", "hub": "HubFrame", "client": "ClientFrame", "command": "Command", "signal": "Signal", "entity": "Entity",
	}
	strict := load("otter.strict.schema.json")
	for folder, union := range unions {
		for name, value := range files("valid/" + folder) {
			if strings.HasPrefix(name, "x.") {
				continue // integrators' names are not in the unions
			}
			for _, each := range []contract{c, strict} {
				found := each.check("#/$defs/"+union, value, "")
				expect("valid/"+folder+"/"+name, len(found) == 0, found)
			}
		}
	}
}

func (c contract) invalid(expect func(string, bool, any)) {
	members := map[string]string{"event": "event", "command": "command", "client": "frame", "hub": "frame"}
	for group, member := range members {
		for name, one := range files("invalid/" + group) {
			if one["schema"] != true {
				continue // only a hub can tell
			}
			found := c.errors(group, input(one, member))
			pointer, _ := one["expect"].(object)["pointer"].(string)
			expect("invalid/"+group+"/"+name, slices.Contains(found, pointer), found)
		}
	}
}

// errors looks the definition up the way a reader does.
func (c contract) errors(group string, value object) (found []string) {
	switch group {
	case "command":
		return c.check(c.row("commands", "command", value["kind"])["payload"], value["data"], "/data")
	case "event":
		found = c.check("#/$defs/NewEvent", value, "")
		if row := c.row("kinds", "kind", value["kind"]); row != nil {
			found = append(found, c.check(row["payload"], value["data"], "/data")...)
		}
		return found
	default:
		return c.frame(group, value)
	}
}

func (c contract) outcome(frame object) string {
	found := c.frame("hub", frame)
	switch {
	case slices.Contains(found, "/type"):
		return "ignores"
	case len(found) > 0 && strings.HasSuffix(found[0], "/op"):
		return "stops"
	case len(found) > 0:
		return fmt.Sprint(found)
	}
	for _, event := range list(frame["events"]) {
		row := c.row("kinds", "kind", event["kind"])
		for _, effect := range list(event["effects"]) {
			if row == nil || strings.Split(effect["entity"].(string), "/")[0] != row["entity"] {
				return "relays"
			}
		}
	}
	return "reads"
}
