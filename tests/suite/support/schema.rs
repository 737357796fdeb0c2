//! Compares a JSON document with a schema of `docs/schemas/`. Knows the keywords that those use,
//! and refuses a schema with any other.

use serde_json::Value;

/// The document's deviations from the schema, each with its place.
pub fn deviations(schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Checker { root: schema }.check(schema, document, "$", &mut found);
    found
}

struct Checker<'a> {
    root: &'a Value,
}

impl Checker<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let mut here = Vec::new();
        let mut wrong = |what: String| here.push(format!("{at}: {what}"));
        let keywords = schema.as_object().expect("a schema is an object");
        for (keyword, wanted) in keywords {
            match keyword.as_str() {
                "$ref" => {
                    let name = wanted.as_str().expect("text");
                    let pointer = name.strip_prefix('#').expect("in this file");
                    let other = self.root.pointer(pointer).expect(name);
                    self.check(other, value, at, found);
                    return;
                }
                "const" if value != wanted => wrong(format!("{value} is not {wanted}")),
                "enum" if !items(wanted).contains(value) => wrong(format!("unknown {value}")),
                // What fits, what says nothing about a value, and what is looked at below.
                "const" | "enum" | "$schema" | "$defs" | "title" | "description" | "properties" => {
                }
                "type" => {
                    let one = [wanted.clone()];
                    let names = wanted.as_array().map_or(&one[..], Vec::as_slice);
                    if !names.iter().any(|name| is(value, name.as_str().expect("text"))) {
                        wrong(format!("{value} is no {wanted}"));
                    }
                }
                "required" => {
                    for key in items(wanted).iter().filter_map(Value::as_str) {
                        if value.is_object() && value.get(key).is_none() {
                            wrong(format!("`{key}` is missing"));
                        }
                    }
                }
                "additionalProperties" => {
                    assert_eq!(*wanted, false);
                    for key in value.as_object().into_iter().flat_map(serde_json::Map::keys) {
                        if schema["properties"].get(key).is_none() {
                            wrong(format!("`{key}` is not documented"));
                        }
                    }
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{at}[{index}]"), found);
                    }
                }
                "anyOf" => {
                    let fits = |schema: &Value| {
                        let mut other = Vec::new();
                        self.check(schema, value, at, &mut other);
                        other.is_empty()
                    };
                    if !items(wanted).iter().any(fits) {
                        wrong(format!("{value} fits no alternative"));
                    }
                }
                other => panic!("the keyword {other} is not known here"),
            }
        }
        found.append(&mut here);
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(key) {
                self.check(inner, value, &format!("{at}.{key}"), found);
            }
        }
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    }
}

#[test]
fn deviations_are_found() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["a"],
        "additionalProperties": false,
        "properties": {
            "a": { "type": "array", "items": { "$ref": "#/$defs/b" } },
            "c": { "anyOf": [{ "const": 1 }, { "type": "null" }] }
        },
        "$defs": { "b": { "enum": ["x"] } }
    });
    let check = |document: Value| deviations(&schema, &document);
    assert!(check(serde_json::json!({ "a": ["x"], "c": null })).is_empty());
    for wrong in [
        serde_json::json!({}),
        serde_json::json!({ "a": ["y"] }),
        serde_json::json!({ "a": 1 }),
        serde_json::json!({ "a": [], "b": 1 }),
        serde_json::json!({ "a": [], "c": 2 }),
        serde_json::json!([]),
    ] {
        assert!(!check(wrong.clone()).is_empty(), "{wrong}");
    }
}
