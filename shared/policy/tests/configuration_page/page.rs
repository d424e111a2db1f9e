//! JSON Schemas, as schemars writes them, as Markdown tables.

use std::fmt::Write as _;

use serde_json::Value;

const HEAD: &str = "# Configuration

Made from the filters' JSON Schemas, and tested to be current: do not edit; run
`UPDATE_DOCS=1 cargo test -p backstop-policy --test configuration_page`.

A filter's configuration is the `pluginConfig` of its WasmPlugin: JSON, or YAML in a manifest. The module `edge` takes all of them, as
`originVerify`, `rateLimit`, `waf` and `extAuthz` of one object ([edge.md](edge.md)). An unknown key, a value that is not allowed and a missing key are
refused in one line with the JSON path; `backstop check FILE` says it before a gateway does, and editors can use `filters/*/config.schema.json`.

Durations are written `250ms`, `1.5s`, `1m`, `1h30m`; sizes `131072`, `128KiB`, `1MiB`. Where a default is not shown, it is the part's own, below.
";

/// The whole page.
pub fn markdown(schemas: &[(&str, Value)]) -> String {
    let mut out = HEAD.to_owned();
    for (filter, schema) in schemas {
        let _ = writeln!(out, "\n## {filter}\n");
        let _ = writeln!(out, "{}\n", text(schema));
        table(&mut out, filter, schema);
        for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
            let _ = writeln!(out, "\n### {filter}: {name}\n");
            let _ = writeln!(out, "{}\n", text(part));
            if let Some(choices) = part["oneOf"].as_array() {
                for choice in choices {
                    let _ = writeln!(out, "- {}: {}", choice_of(filter, choice), text(choice));
                }
            } else if part["properties"].is_object() {
                table(&mut out, filter, part);
            } else {
                let _ = writeln!(out, "{}", kind(filter, part));
            }
        }
    }
    out
}

/// A heading's anchor, as GitHub makes it.
pub fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| {
            if c == ' ' {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

fn text(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .replace('\n', " ")
}

fn table(out: &mut String, filter: &str, schema: &Value) {
    let Some(keys) = schema["properties"]
        .as_object()
        .filter(|keys| !keys.is_empty())
    else {
        return;
    };
    let required = |key: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|keys| keys.iter().any(|one| one == key))
    };
    out.push_str("| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    for (key, value) in keys {
        let default = if required(key) {
            "**required**".to_owned()
        } else {
            default_of(value)
        };
        let meaning = text(value).replace('|', "\\|");
        let kind = kind(filter, value);
        let _ = writeln!(out, "| `{key}` | {kind} | {default} | {meaning} |");
    }
}

/// A default that fits into a cell.
fn default_of(value: &Value) -> String {
    match &value["default"] {
        Value::Null => String::new(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Object(_) => String::new(),
        other => {
            let json = other.to_string();
            if json.len() > 60 {
                String::new()
            } else {
                format!("`{}`", json.replace('|', "\\|"))
            }
        }
    }
}

/// What a value may be.
fn kind(filter: &str, value: &Value) -> String {
    if let Some(name) = value["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return format!("[{name}](#{})", anchor(&format!("{filter}: {name}")));
    }
    if let Some(all) = value["allOf"].as_array() {
        return all.iter().map(|one| kind(filter, one)).collect();
    }
    if let Some(any) = value["anyOf"].as_array().or(value["oneOf"].as_array()) {
        let kinds: Vec<String> = any
            .iter()
            .filter(|one| one["type"] != "null")
            .map(|one| kind(filter, one))
            .collect();
        return kinds.join(" or ");
    }
    if let Some(one) = value["const"].as_str() {
        return format!("`{one}`");
    }
    if let Some(words) = value["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| format!("`{word}`"))
            .collect();
        return words.join(", ");
    }
    let name = match &value["type"] {
        Value::String(name) => name.as_str(),
        // A type or null: not given.
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null")
            .unwrap_or_default(),
        _ => "",
    };
    match name {
        "array" => format!("list of {}", kind(filter, &value["items"])),
        "object" if value["additionalProperties"].is_object() => {
            format!("map to {}", kind(filter, &value["additionalProperties"]))
        }
        "object" if value["properties"].is_object() => choice_of(filter, value),
        "object" => "`{}`".to_owned(),
        "string" => match value["pattern"].as_str() {
            Some(pattern) if pattern.contains("ms|m|s") => "duration".to_owned(),
            Some(pattern) if pattern.contains("KiB") => "size".to_owned(),
            _ => "text".to_owned(),
        },
        "integer" | "number" => match (value["minimum"].as_u64(), value["maximum"].as_u64()) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) => format!("from {least}"),
            _ => "number".to_owned(),
        },
        "boolean" => "true, false".to_owned(),
        _ => "any".to_owned(),
    }
}

/// One of several shapes: a word, or an object with one key.
fn choice_of(filter: &str, choice: &Value) -> String {
    let Some(keys) = choice["properties"].as_object() else {
        return kind(filter, choice);
    };
    let keys: Vec<String> = keys
        .iter()
        .map(|(key, value)| format!("`{key}`: {}", kind(filter, value)))
        .collect();
    format!("{{{}}}", keys.join(", "))
}
