//! The revisions of the protocol, and the requests of a client of each.

use serde_json::{Map, Value, json};

/// A published revision of the protocol, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    V2024_11_05,
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

use Revision::*;

impl Revision {
    pub const ALL: [Self; 5] = [V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28];
    /// Those that open with `initialize`.
    pub const LEGACY: [Self; 4] = [V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25];
    pub const NEWEST: Self = V2026_07_28;

    pub fn name(self) -> &'static str {
        match self {
            V2024_11_05 => "2024-11-05",
            V2025_03_26 => "2025-03-26",
            V2025_06_18 => "2025-06-18",
            V2025_11_25 => "2025-11-25",
            V2026_07_28 => "2026-07-28",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.name() == name)
    }

    pub fn is_modern(self) -> bool {
        self == V2026_07_28
    }

    /// A request as a client of this revision writes it: a modern one carries its envelope.
    pub fn request(self, id: impl Into<Value>, method: &str, params: Value) -> String {
        self.request_with_meta(id, method, params, Value::Null)
    }

    /// The same with more `_meta`, such as a progress token.
    pub fn request_with_meta(self, id: impl Into<Value>, method: &str, params: Value, more: Value) -> String {
        let mut params = match params {
            Value::Object(params) => params,
            Value::Null => Map::new(),
            other => panic!("params are an object, not {other}"),
        };
        let mut meta = if self.is_modern() { envelope() } else { Map::new() };
        if let Value::Object(more) = more {
            meta.extend(more);
        }
        if !meta.is_empty() {
            params.insert("_meta".into(), meta.into());
        }
        let mut request = json!({"jsonrpc": "2.0", "id": id.into(), "method": method});
        if !params.is_empty() {
            request["params"] = params.into();
        }
        request.to_string()
    }

    /// The handshake of a client of this revision.
    pub fn initialize(self, id: impl Into<Value>) -> String {
        initialize(id, self.name())
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The `_meta` that each modern request has to carry.
pub fn envelope() -> Map<String, Value> {
    let envelope = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    match envelope {
        Value::Object(envelope) => envelope,
        _ => unreachable!(),
    }
}

/// A handshake that asks for any version, known or not.
pub fn initialize(id: impl Into<Value>, version: &str) -> String {
    initialize_with(id, version, json!({}))
}

/// The same for a client with capabilities.
pub fn initialize_with(id: impl Into<Value>, version: &str, capabilities: Value) -> String {
    let params = json!({
        "protocolVersion": version,
        "capabilities": capabilities,
        "clientInfo": {"name": "tests", "version": "1"},
    });
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "initialize", "params": params}).to_string()
}

pub const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
