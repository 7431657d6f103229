//! JSON Schema, draft 7 (the one that editors of TOML read), of a document, from the registry.

use fmicl_core::registry::{Docs, KindInfo, Listing, Shape, in_one_line, kinds};
use fmicl_runner::document::Document;
use serde_json::{Map, Value, json};

/// The schema of a document. Parts of a kind are in `definitions`, each part with its options in one of its own.
///
/// Any table may be continued from another file by `extends`, so no key is required.
pub fn schema_of(document: &Document) -> Value {
    let mut schema = of(
        &|path| (document.shape)(path),
        &mut Vec::new(),
        &|at| (document.docs)(at),
        None,
    );
    let mut definitions = Map::new();
    for kind in kinds() {
        let parts = (kind.list)();
        if parts.iter().all(|part| (kind.shape)(part.name, &[]) == Shape::Other) {
            continue;
        }
        definitions.insert(kind.name.into(), choice(kind, &parts));
        for part in &parts {
            definitions.insert(reference(kind.name, part.name), options(kind, part));
        }
    }
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = format!("fmicl {}", document.name).into();
    schema["description"] = document.summary.into();
    schema["definitions"] = definitions.into();
    schema
}

/// The name of a part's definition.
fn reference(kind: &str, part: &str) -> String {
    format!("{kind}.{part}")
}

fn refer(definition: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{definition}") })
}

/// A part of a kind: its name, or a table with `name` and that part's options. A table without `name` is continued from another
/// file; it may have the options of any part.
fn choice(kind: &KindInfo, parts: &[Listing]) -> Value {
    let names: Vec<_> = parts.iter().map(|part| part.name).collect();
    let summaries: Vec<_> = parts
        .iter()
        .map(|part| format!("{}: {}", part.name, part.summary))
        .collect();
    let of_each = parts.iter().map(|part| {
        let named = json!({ "required": ["name"], "properties": { "name": { "const": part.name } } });
        json!({ "if": named, "then": refer(&reference(kind.name, part.name)) })
    });
    let mut any = json!({ "extends": extends() });
    for part in parts {
        let schema = options(kind, part);
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            if any.get(key).is_none() {
                any[key] = value.clone();
            }
        }
    }
    any["name"] = json!({ "enum": names });
    let unnamed = json!({ "if": { "not": { "required": ["name"] } }, "then": { "properties": any } });
    let table = json!({
        "properties": { "name": { "enum": names } },
        "allOf": of_each.chain([unnamed]).collect::<Vec<_>>(),
    });
    let mut schema = table_or(json!({ "enum": names }), table);
    schema["description"] = format!("A {}. {}.", kind.name, summaries.join("; ")).into();
    schema
}

fn extends() -> Value {
    json!({ "type": "string", "description": "A TOML file, relative to this one, that this table continues." })
}

/// The table of a part's options.
fn options(kind: &KindInfo, part: &Listing) -> Value {
    let docs = |at: &str| if at.is_empty() { part.docs } else { &[] };
    let shape = |path: &[&str]| (kind.shape)(part.name, path);
    let mut schema = of(
        &shape,
        &mut Vec::new(),
        &docs,
        part.defaults.as_ref().map(|it| json!(it)).as_ref(),
    );
    schema["description"] = format!("{} ({})", part.summary, part.crate_name).into();
    schema["properties"]["name"] = json!({ "const": part.name });
    schema
}

/// Deeper than any options struct; one that holds itself would never end.
const DEEPEST: usize = 8;

/// The schema of what is at `path`; `docs` gives the doc comments of the keys of a table at a dotted key, and `defaults` is what is
/// there by default.
fn of(
    shape: &dyn Fn(&[&str]) -> Shape,
    path: &mut Vec<&'static str>,
    docs: &dyn Fn(&str) -> Docs,
    defaults: Option<&Value>,
) -> Value {
    if path.len() >= DEEPEST {
        return json!({});
    }
    match shape(path) {
        Shape::Table(keys) => {
            let about = docs(&path.join("."));
            let mut properties = json!({ "extends": extends() });
            for &key in keys {
                let default = defaults.and_then(|defaults| defaults.get(key));
                path.push(key);
                let mut schema = of(shape, path, docs, default);
                path.pop();
                if let Some((_, lines)) = about.iter().find(|(name, lines)| *name == key && !lines.is_empty()) {
                    schema = described(schema, &in_one_line(lines));
                }
                if let Some(default) = default.filter(|default| !default.is_object()) {
                    schema["default"] = default.clone();
                }
                properties[key] = schema;
            }
            json!({ "type": "object", "properties": properties, "additionalProperties": false })
        }
        Shape::Part(kind) => part(kind, path.last().copied()),
        Shape::Parts(kind) => parts_by_name(kind),
        Shape::List => json!({ "type": "array", "items": item(shape, path, docs) }),
        Shape::Map => json!({ "type": "object", "additionalProperties": item(shape, path, docs) }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Integer { signed: true } => json!({ "type": "integer" }),
        Shape::Integer { signed: false } => json!({ "type": "integer", "minimum": 0 }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Text => json!({ "type": "string" }),
        Shape::OneOf(values) => json!({ "enum": values }),
        Shape::Other => json!({}),
    }
}

/// Either a table or another value; which of the two it is decides what an editor says of it.
fn table_or(other: Value, table: Value) -> Value {
    json!({ "if": { "type": "object" }, "then": table, "else": other })
}

/// A part of a kind. One that stands under its own name may be `true`, `false`, or its probability.
fn part(kind: &str, key: Option<&str>) -> Value {
    let kinds = kinds();
    let parts = kinds.iter().find(|info| info.name == kind).map(|info| (info.list)());
    match parts.iter().flatten().find(|part| Some(part.name) == key) {
        Some(named) => table_or(
            json!({ "type": ["boolean", "number"] }),
            refer(&reference(kind, named.name)),
        ),
        None => refer(kind),
    }
}

/// What is in a list or a map: all of it has one shape.
fn item(shape: &dyn Fn(&[&str]) -> Shape, path: &mut Vec<&'static str>, docs: &dyn Fn(&str) -> Docs) -> Value {
    path.push("0");
    let schema = of(shape, path, docs, None);
    path.pop();
    schema
}

/// A schema with a description. Beside a `$ref`, draft 7 reads nothing.
fn described(mut schema: Value, about: &str) -> Value {
    if schema.get("$ref").is_some() {
        schema = json!({ "allOf": [schema] });
    }
    schema["description"] = about.into();
    schema
}

/// Parts of a kind by their names: a list of names, or a table of a table of options for each.
fn parts_by_name(kind: &str) -> Value {
    let kinds = kinds();
    let parts = kinds.iter().find(|info| info.name == kind).map(|info| (info.list)());
    let names: Vec<_> = parts.iter().flatten().map(|part| part.name).collect();
    let mut properties = json!({ "extends": extends() });
    for name in &names {
        properties[name] = refer(&reference(kind, name));
    }
    table_or(
        json!({ "type": "array", "items": { "enum": names } }),
        json!({ "properties": properties, "additionalProperties": false }),
    )
}

#[cfg(test)]
mod tests {
    use super::schema_of;
    use fmicl_runner::document::documents;
    use serde_json::{Value, json};

    fn experiment() -> Value {
        let documents = documents();
        let experiment = documents.into_iter().find(|document| document.name == "experiment");
        schema_of(experiment.expect("the runner has it"))
    }

    #[test]
    fn a_key_has_its_type_its_default_and_its_doc_comment() {
        let schema = experiment();
        assert_eq!(
            schema["properties"]["objective"]["allOf"][0]["$ref"],
            "#/definitions/objective"
        );
        assert_eq!(
            schema["properties"]["trackers"]["items"]["$ref"],
            "#/definitions/tracker"
        );
        let precision = &schema["properties"]["train"]["properties"]["precision"];
        assert_eq!(precision["enum"], json!(["f32", "tf32", "bf16"]));
        let f_micl = &schema["definitions"]["objective.f-micl"];
        assert_eq!(
            f_micl["properties"]["divergence"]["allOf"][0]["$ref"],
            "#/definitions/divergence"
        );
        assert_eq!(f_micl["additionalProperties"], false);
        let size = &schema["definitions"]["views.image"]["properties"]["size"];
        assert_eq!((&size["type"], &size["default"]), (&json!("integer"), &json!(32)));
        assert!(
            size["description"]
                .as_str()
                .is_some_and(|about| about.contains("pixels"))
        );
    }

    #[test]
    fn a_part_is_a_name_or_a_table_and_one_under_its_own_name_may_be_switched() {
        let schema = experiment();
        let objective = &schema["definitions"]["objective"];
        assert_eq!(objective["else"]["enum"], json!(["f-micl"]));
        let named = &objective["then"]["allOf"][0];
        assert_eq!(named["if"]["properties"]["name"]["const"], "f-micl");
        assert_eq!(named["then"]["$ref"], "#/definitions/objective.f-micl");
        let flip = &schema["definitions"]["views.image"]["properties"]["flip"];
        assert_eq!(flip["then"]["$ref"], "#/definitions/transform.flip");
        assert_eq!(flip["else"]["type"], json!(["boolean", "number"]));
    }

    #[test]
    fn every_reference_leads_to_a_definition() {
        let schema = experiment();
        let mut todo = vec![&schema];
        let mut seen = 0;
        while let Some(value) = todo.pop() {
            if let Some(Value::String(reference)) = value.get("$ref") {
                let pointer = reference
                    .strip_prefix("#/definitions/")
                    .expect("it is within the schema");
                assert!(schema["definitions"].get(pointer).is_some(), "{reference}");
                seen += 1;
            }
            todo.extend(value.as_object().into_iter().flat_map(|map| map.values()));
            todo.extend(value.as_array().into_iter().flatten());
        }
        assert!(seen > 30, "{seen}");
    }
}
