package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
)

type object = map[string]any

// list is the objects of an array; none of what is no array.
func list(value any) (objects []object) {
	items, _ := value.([]any)
	for _, item := range items {
		if one, is := item.(object); is {
			objects = append(objects, one)
		}
	}
	return objects
}

// or is the second value when the first is not there.
func or(value, other any) any {
	if value == nil {
		return other
	}
	return value
}

func number(value any) int64 {
	digits, _ := value.(json.Number)
	whole, _ := digits.Int64()
	return whole
}

// merge is RFC 7396.
func merge(target, patch any) any {
	members, isObject := patch.(object)
	if !isObject {
		return patch
	}
	merged, _ := target.(object)
	if merged = maps.Clone(merged); merged == nil {
		merged = object{}
	}
	for key, value := range members {
		if merged[key] = merge(merged[key], value); value == nil {
			delete(merged, key)
		}
	}
	return merged
}

// canonical is what is hashed: keys by byte, no spaces, minimal escapes, numbers as the hub wrote them. Go sorts keys
// and keeps json.Number, but escapes two characters more.
func canonical(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029", "\n", "").Replace(out.String())
}
