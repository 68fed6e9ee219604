//! The OpenRPC 1.3 document, made from what the registry knows.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{Code, codes, params};

const VERSION: &str = "1.3.2";

/// A method as the document has it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) params: Vec<Param>,
    pub(super) result: (&'static str, Value),
    pub(super) errors: &'static [Code],
    pub(super) events: Option<Events>,
}

/// One parameter.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Param {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    required: bool,
    schema: Value,
}

impl Param {
    /// Its name, with a question mark if it is optional.
    pub(super) fn signature(&self) -> String {
        format!("{}{}", self.name, if self.required { "" } else { "?" })
    }
}

/// What a subscription sends.
#[derive(Debug, Clone)]
pub(super) struct Events {
    pub(super) notification: &'static str,
    pub(super) unsubscribe: &'static str,
    pub(super) item: Value,
}

/// Schemas as OpenRPC wants them: draft 7, named types in one place.
pub(super) fn generator() -> SchemaGenerator {
    SchemaSettings::draft07()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator()
}

/// The parameters of a method, in the order in which they may be given by position.
pub(super) fn params_of<P: JsonSchema + DeserializeOwned>(
    generator: &mut SchemaGenerator,
) -> Vec<Param> {
    let schema = P::json_schema(generator);
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required = schema.get("required").and_then(Value::as_array);
    let declared = params::field_names::<P>().iter().map(|name| (*name).to_owned());
    let mut names: Vec<String> = declared.filter(|name| properties.contains_key(name)).collect();
    names.extend(
        properties.keys().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>(),
    );
    names
        .into_iter()
        .map(|name| {
            let mut schema = properties.get(&name).cloned().unwrap_or(Value::Bool(true));
            let description = take_description(&mut schema);
            let required =
                required.is_some_and(|list| list.iter().any(|item| item.as_str() == Some(&name)));
            Param { name, description, required, schema }
        })
        .collect()
}

fn take_description(schema: &mut Value) -> Option<String> {
    match schema.as_object_mut()?.remove("description")? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The schema of a result or an event.
pub(super) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    Schema::to_value(generator.subschema_for::<T>())
}

/// The whole document.
pub(super) fn document(entries: &[Entry], generator: &mut SchemaGenerator) -> Value {
    let errors: Map<String, Value> =
        codes::ALL.iter().map(|code| (code.name.to_owned(), error(code))).collect();
    json!({
        "openrpc": VERSION,
        "info": {
            "title": "Covey control socket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "JSON-RPC 2.0 over the node's Unix socket, as newline-delimited JSON \
                or as HTTP and WebSocket. The calls of a batch run at the same time.",
        },
        "methods": entries.iter().map(method).collect::<Vec<_>>(),
        "components": { "schemas": generator.take_definitions(true), "errors": errors },
    })
}

fn method(entry: &Entry) -> Value {
    let (result, schema) = &entry.result;
    let namespace = entry.name.split('_').next().unwrap_or_default();
    let errors: Vec<Value> = entry
        .errors
        .iter()
        .map(|code| json!({ "$ref": format!("#/components/errors/{}", code.name) }))
        .collect();
    let mut method = json!({
        "name": entry.name,
        "summary": entry.summary,
        "tags": [{ "name": namespace }],
        "paramStructure": "either",
        "params": entry.params,
        "result": { "name": result, "schema": schema },
        "errors": errors,
    });
    if let (Some(events), Some(object)) = (&entry.events, method.as_object_mut()) {
        let subscription = json!({
            "notification": events.notification,
            "unsubscribe": events.unsubscribe,
            "item": events.item,
        });
        object.insert("x-subscription".into(), subscription);
    }
    method
}

fn error(code: &Code) -> Value {
    json!({
        "code": code.number,
        "message": code.meaning,
        "data": { "name": code.name, "help": code.help },
    })
}
