//! Apps in process: registration, refused configurations, and tools as plain functions.

use std::future::Future;

use fastmcp_rs::handler::{FromContext, Requirements};
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::RawClient;
use serde_json::{Value, json};
// Without this, the linker would leave the library's tools out.
use toolbox as _;

mod argument_decoding;
mod argument_defaults;
mod argument_errors;
mod client_features;
mod connection;
mod dynamic;
mod dynamic_schemas;
mod flattened_arguments;
mod handles;
mod lifecycle;
mod links;
mod lints;
mod metadata;
mod methods;
mod middleware;
mod models;
mod mounting;
mod nested_calls;
mod non_finite_floats;
mod own_content;
mod problems;
mod progress;
mod published_schemas;
mod renamed_arguments;
mod request_context;
mod results;
mod rich_types;
mod schema_agreement;
mod separators;
mod signatures;
mod subscriptions;
// The official schemas; no process is started here.
#[allow(dead_code, unused_imports)]
#[path = "../support/mod.rs"]
mod support;
mod test_client;
mod typed_errors;
mod validated_client;
mod visibility;
mod wrapped;

mod shop {
    use super::*;

    pub struct Stock(pub u32);

    pub type Answer<T> = Result<T, ToolError>;

    /// Tells how many are left.
    #[mcp::tool(read_only)]
    pub async fn stock_left(stock: State<Stock>) -> u32 {
        stock.0
    }

    /// Orders some.
    #[mcp::tool]
    pub async fn order_some(
        /// How many.
        #[arg(min = 1)]
        quantity: u32,
        stock: State<Stock>,
    ) -> Answer<String> {
        match stock.0.checked_sub(quantity) {
            Some(left) => Ok(format!("{left} left")),
            None => Err(ToolError::new(format!("only {} left", stock.0))),
        }
    }
}

mod twins {
    use fastmcp_rs::prelude::*;

    /// Says one thing.
    #[mcp::tool(name = "twin")]
    pub fn first() -> &'static str {
        "first"
    }

    /// Says another.
    #[mcp::tool(name = "twin")]
    pub fn second() -> &'static str {
        "second"
    }

    /// Shares its name with a module, so its handle has another.
    #[mcp::tool(handle = Tell)]
    pub fn told() -> &'static str {
        "told"
    }

    pub mod told {}
}

mod tenants {
    use super::*;

    /// The tenant of a request, as a custom extractor.
    pub struct Tenant(String);

    pub struct Tenants;

    impl FromContext for Tenant {
        type Error = ToolError;

        async fn from_context(context: &Context) -> Result<Self, ToolError> {
            let _tenants: State<Tenants> = State::from_context(context).await?;
            match context.meta().get("com.example/tenant") {
                Some(Value::String(name)) => Ok(Tenant(name.clone())),
                _ => Err(ToolError::new("say who you are in `com.example/tenant`")),
            }
        }

        fn requirements(requirements: &mut Requirements) {
            requirements.state::<Tenants>();
        }
    }

    /// Returns the tenant of the request.
    #[mcp::tool]
    pub async fn who(tenant: Tenant) -> String {
        tenant.0
    }
}

mod bounds {
    use fastmcp_rs::prelude::*;

    #[mcp::model]
    pub struct Small(u8);

    /// Can never be called as it is declared.
    #[mcp::tool]
    pub async fn impossible(#[arg(min = 300)] n: Small) -> u8 {
        n.0
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

/// Sends a modern request, with more `_meta` than it needs.
async fn ask(wire: &mut RawClient, method: &str, mut params: Value, mut meta: Value) -> Value {
    meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
    params["_meta"] = meta;
    wire.send(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string());
    let answer = serde_json::from_str(&wire.receive().await).expect("a frame");
    support::schema::check_answer(support::Revision::NEWEST, method, &answer).expect("it fits the schema");
    answer
}

/// Calls a tool of an app and returns its result.
fn call(app: App, tool: &str, arguments: Value, meta: Value) -> Value {
    run(async {
        let mut wire = app.connect().await.expect("the app is valid");
        let params = json!({"name": tool, "arguments": arguments});
        ask(&mut wire, "tools/call", params, meta).await["result"].take()
    })
}

fn list(app: App) -> Value {
    run(async {
        let mut wire = app.connect().await.expect("the app is valid");
        ask(&mut wire, "tools/list", Value::Null, Value::Null).await["result"]["tools"].take()
    })
}

#[test]
fn automatic_and_explicit_registration_list_the_same_tools() {
    let automatic = App::from_module("shop", concat!(module_path!(), "::shop")).state(shop::Stock(3));
    let explicit = App::empty("shop").tool::<shop::stock_left>().tool::<shop::order_some>().state(shop::Stock(3));
    assert_eq!(automatic.tool_names(), ["order_some", "stock_left"]);
    assert_eq!(list(automatic).to_string(), list(explicit).to_string());
}

#[test]
fn a_new_app_has_every_tool_even_those_of_a_library() {
    let names = App::new("all").tool_names();
    for name in ["double_money", "order_some", "stock_left", "told", "who"] {
        assert!(names.iter().any(|other| other == name), "{name} in {names:?}");
    }
    assert!(App::empty("none").tool_names().is_empty());
}

#[test]
fn a_tool_of_a_library_can_be_called() {
    let app = || App::empty("money").tool::<toolbox::double_money>();
    let result = call(app(), "double_money", json!({"money": {"cents": 21}}), Value::Null);
    assert_eq!(result["structuredContent"], json!({"cents": 42, "currency": "EUR"}));
    let result = call(app(), "double_money", json!({"money": {"cents": 1, "currency": "euro"}}), Value::Null);
    assert_eq!(result["isError"], true);
    assert!(result["content"][0]["text"].as_str().is_some_and(|text| text.contains("currency")), "{result}");
}

#[test]
fn a_duplicate_tool_name_is_refused_with_both_places() {
    let error = App::empty("twins").tool::<twins::first>().tool::<twins::second>().check().unwrap_err();
    assert!(error.is_configuration());
    let text = error.to_string();
    assert!(text.contains("`twin`"), "{text}");
    let places = text.matches("main.rs:").count();
    assert_eq!(places, 2, "both source locations, in {text}");
    assert_eq!(format!("{error:?}"), text, "`main` prints the readable form");
}

#[test]
fn bounds_outside_the_range_of_the_type_are_refused() {
    let text = App::empty("x").tool::<bounds::impossible>().check().unwrap_err().to_string();
    for part in ["`impossible`", "300", "255"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_tool_registered_twice_is_reported_once() {
    let app = App::from_module("shop", concat!(module_path!(), "::shop")).state(shop::Stock(3));
    let text = app.tool::<shop::stock_left>().check().unwrap_err().to_string();
    assert!(text.contains("registered twice") && text.contains("`App::empty`"), "{text}");
    assert!(!text.contains("two tools"), "{text}");
}

#[test]
fn a_missing_state_is_refused_with_its_type_and_its_tools() {
    let app = App::empty("shop").tool::<shop::stock_left>().tool::<shop::order_some>().tool::<tenants::who>();
    let text = app.check().unwrap_err().to_string();
    for part in ["Stock", "`stock_left`", "`order_some`", "Tenants", "`who`", ".state("] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_tool_is_registered_by_its_renamed_handle() {
    let result = call(App::empty("x").tool::<twins::Tell>(), "told", json!({}), Value::Null);
    assert_eq!(result["content"][0]["text"], "told");
}

#[test]
fn a_custom_extractor_is_not_an_argument() {
    let app = || App::empty("x").tool::<tenants::who>().state(tenants::Tenants);
    assert_eq!(list(app())[0]["inputSchema"]["properties"], json!({}));
    let meta = json!({"com.example/tenant": "acme"});
    assert_eq!(call(app(), "who", json!({}), meta)["content"][0]["text"], "acme");
    let refused = call(app(), "who", json!({}), Value::Null);
    assert_eq!(refused["isError"], true);
    assert_eq!(refused["content"][0]["text"], "say who you are in `com.example/tenant`");
    let refused = call(app(), "who", json!({"tenant": "acme"}), Value::Null);
    assert_eq!(refused["isError"], true, "a client cannot send what is injected");
}

#[test]
fn tools_can_be_called_as_functions() {
    assert_eq!(twins::first(), "first");
    assert_eq!(run(shop::stock_left(State::new(shop::Stock(7)))), 7);
    let error = run(shop::order_some(8, State::new(shop::Stock(7)))).unwrap_err();
    assert_eq!(error.to_string(), "only 7 left");
    assert_eq!(toolbox::double_money(toolbox::Money { cents: 1, currency: "USD".into() }).cents, 2);
}

#[test]
fn an_alias_of_result_is_a_result_type() {
    let app = || App::empty("shop").tool::<shop::order_some>().state(shop::Stock(3));
    assert_eq!(call(app(), "order_some", json!({"quantity": 2}), Value::Null)["content"][0]["text"], "1 left");
    let refused = call(app(), "order_some", json!({"quantity": 4}), Value::Null);
    assert_eq!((&refused["isError"], &refused["content"][0]["text"]), (&json!(true), &json!("only 3 left")));
}

#[test]
fn results_omit_the_name_of_the_server_if_it_is_hidden() {
    let result = call(App::empty("x").tool::<twins::first>().hide_server_info(true), "twin", json!({}), Value::Null);
    assert_eq!(result["content"][0]["text"], "first");
    assert!(result.get("_meta").is_none(), "{result}");
}
