//! Forms of parameters and signatures: patterns, optional extractors, paths, constants, and several blocks of a type.

use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use fastmcp_rs::handler::{ClientAddr, FromContext, OptionalFromContext};
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::validated_client::validated;
use super::{call, list, run};
use crate::support::Revision;

struct Stock(u32);

struct Motto(&'static str);

/// An extractor with several fields, which never fails.
struct Caller {
    name: String,
    is_known: bool,
}

impl FromContext for Caller {
    type Error = Infallible;

    async fn from_context(ctx: &Context) -> Result<Self, Infallible> {
        let name = ctx.principal().map(|principal| principal.id().to_owned());
        Ok(Caller { is_known: name.is_some(), name: name.unwrap_or_else(|| "nobody".into()) })
    }
}

impl OptionalFromContext for Caller {
    type Error = Infallible;

    async fn optional_from_context(ctx: &Context) -> Result<Option<Self>, Infallible> {
        Ok(Some(Caller::from_context(ctx).await?).filter(|caller| caller.is_known))
    }
}

/// Reports the stock through a pattern.
#[mcp::tool]
async fn stock(State(stock): State<Stock>, Caller { name, is_known }: Caller, unit: &str) -> String {
    // The pattern binds the `Arc`, so a task can keep it.
    let stock: Arc<Stock> = stock;
    format!("{} {unit} for {name} ({is_known})", stock.0)
}

/// Reports the stock on a thread for blocking code.
#[mcp::tool]
fn stock_blocking(_: &Context, State(stock): State<Stock>) -> u32 {
    stock.0
}

/// Reports the stock as a resource.
#[mcp::resource("stock://{unit}")]
async fn stock_resource(State(stock): State<Stock>, unit: &str) -> String {
    format!("{} {unit}", stock.0)
}

/// Talks about the stock.
#[mcp::prompt]
async fn stock_prompt(State(stock): State<Stock>, unit: &str) -> String {
    format!("Is {} {unit} enough?", stock.0)
}

/// Returns the motto, if the app has one.
#[mcp::tool]
async fn motto(motto: Option<State<Motto>>, caller: Option<Caller>) -> String {
    let name = caller.map_or("nobody".to_owned(), |caller| caller.name);
    format!("{} {name}", motto.map_or("none", |motto| motto.0))
}

/// Suggests the unit that is in stock.
async fn units(_: CompletionRequest, State(stock): State<Stock>, app: AppHandle) -> Vec<String> {
    app.remove_tool("no such tool");
    vec![format!("{} crates", stock.0)]
}

/// Counts a unit.
#[mcp::prompt]
fn count_units(#[arg(complete = units)] unit: &str) -> String {
    format!("Count the {unit}.")
}

/// Lists a unit.
#[mcp::resource("units://{unit}")]
fn unit_list(#[arg(complete = units)] unit: &str) -> String {
    unit.to_owned()
}

#[test]
fn a_completion_function_requires_its_states_at_start_and_gets_the_handle() {
    let missing = App::empty("units").prompt::<count_units>().resource::<unit_list>().check().unwrap_err().to_string();
    assert!(missing.contains("Stock") && missing.contains("`unit_list`, `count_units` need"), "{missing}");
    run(async {
        let app = App::empty("units").prompt::<count_units>().state(Stock(3));
        let client = app.test_client().await.expect("the app is valid");
        let reply = client.complete_prompt("count_units", "unit", "").await.expect("a result");
        assert_eq!(reply.values(), ["3 crates"]);
    });
}

fn stocked() -> App {
    App::empty("stock")
        .tool::<stock>()
        .tool::<stock_blocking>()
        .resource::<stock_resource>()
        .prompt::<stock_prompt>()
        .state(Stock(3))
}

#[test]
fn an_extractor_can_be_destructured_in_the_signature() {
    run(async {
        let client = validated(stocked().test_client(), Revision::NEWEST).await.expect("the app is valid");
        let reply = client.call("stock", json!({"unit": "crates"})).await.expect("a result");
        assert_eq!(reply.text(), "3 crates for nobody (false)");
        assert_eq!(client.call("stock_blocking", ()).await.expect("a result").text(), "3");
        assert_eq!(client.read("stock://crates").await.expect("a result").text(), "3 crates");
        let prompt = client.get_prompt("stock_prompt", json!({"unit": "crates"})).await.expect("a result");
        assert!(prompt.text().contains("Is 3 crates enough?"), "{}", prompt.text());
        let tools = client.list_tools().await.expect("a list");
        let stock = tools.iter().find(|tool| tool["name"] == "stock").expect("the tool is listed");
        assert_eq!(stock["inputSchema"]["required"], json!(["unit"]));
        assert_eq!(stock["inputSchema"]["properties"].as_object().map(serde_json::Map::len), Some(1), "{stock}");
    });
    // The server does not start without the state.
    let missing = App::empty("stock").tool::<stock>().check().unwrap_err().to_string();
    assert!(missing.contains("Stock") && missing.contains("`stock`"), "{missing}");
}

#[test]
fn a_pattern_parameter_is_no_argument() {
    let refused = call(stocked(), "stock", json!({"unit": "crates", "stock": 4, "__pattern": 1}), Value::Null);
    let text = refused["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("/stock") && text.contains("/__pattern"), "{text}");
}

#[test]
fn an_optional_state_is_none_in_an_app_without_it() {
    run(async {
        let app = App::empty("mottos").tool::<motto>();
        let client = app.test_client().await.expect("the state is not required");
        assert_eq!(client.call("motto", ()).await.expect("a result").text(), "none nobody");
        let app = App::empty("mottos").tool::<motto>().state(Motto("onward"));
        let client = app.test_client().principal(Principal::new("ada")).await.expect("the app is valid");
        assert_eq!(client.call("motto", ()).await.expect("a result").text(), "onward ada");
    });
}

/// Returns the extension of a file.
#[mcp::tool]
fn file_type(path: &Path, base: Option<&Path>) -> String {
    let path = base.map_or_else(|| path.to_owned(), |base| base.join(path));
    path.extension().and_then(|name| name.to_str()).unwrap_or_default().to_owned()
}

/// Returns the contents of a file.
#[mcp::resource("files:///{+path}")]
fn file(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_path_is_a_borrowed_argument() {
    let app = || App::empty("files").tool::<file_type>().resource::<file>();
    let result = call(app(), "file_type", json!({"path": "a/b.txt"}), Value::Null);
    assert_eq!(result["content"][0]["text"], "txt");
    let schema = &list(app())[0]["inputSchema"];
    assert_eq!(schema["properties"]["path"], json!({"type": "string"}));
    assert_eq!((&schema["properties"]["base"], &schema["required"]), (&json!({"type": "string"}), &json!(["path"])));
    run(async {
        let client = validated(app().test_client(), Revision::NEWEST).await.expect("the app is valid");
        assert_eq!(client.read("files:///a/b.txt").await.expect("a result").text(), "a/b.txt");
    });
}

mod uris {
    pub const GRAPH: &str = "graph://all";
}

/// Returns the graph.
#[mcp::resource(uris::GRAPH, mime_type = "text/plain")]
fn graph() -> &'static str {
    uris::GRAPH
}

pub struct Notes;

impl Notes {
    const URI: &str = "notes://all";
}

#[mcp::server]
impl Notes {
    /// Returns all notes.
    #[resource(Self::URI)]
    fn all() -> &'static str {
        Self::URI
    }

    /// Counts the notes.
    #[tool]
    fn count_notes(&self) -> u32 {
        1
    }
}

#[mcp::server(extend)]
impl Notes {
    /// Adds a note.
    #[tool]
    async fn add_note(&self, text: &str) -> String {
        text.to_owned()
    }

    /// Summarizes the notes.
    #[prompt]
    fn sum_up_notes() -> String {
        "Sum up.".to_owned()
    }
}

mod more {
    #[fastmcp_rs::mcp::server(extend)]
    impl super::Notes {
        /// Returns the first note.
        #[resource("notes://first")]
        fn first(&self) -> &'static str {
            "first"
        }
    }
}

#[test]
fn the_uri_of_a_resource_can_be_a_constant() {
    run(async {
        let app = App::empty("notes").resource::<graph>().server::<Notes>().state(Notes);
        let client = validated(app.test_client(), Revision::NEWEST).await.expect("the app is valid");
        for uri in [uris::GRAPH, Notes::URI] {
            assert_eq!(client.read(uri).await.expect("a result").text(), uri);
        }
        let listed = client.list_resources().await.expect("a list");
        assert_eq!(listed.iter().filter(|resource| resource["uri"] == uris::GRAPH).count(), 1, "{listed:?}");
    });
}

const NO_SCHEME: &str = "all";

/// Has a URI that is no URI.
#[mcp::resource(NO_SCHEME)]
fn no_scheme() -> &'static str {
    ""
}

#[test]
fn a_constant_that_is_no_uri_is_an_error_at_start() {
    let problems = App::empty("uris").resource::<no_scheme>().check().unwrap_err().to_string();
    assert!(problems.contains("`all` has no scheme") && problems.contains("signatures.rs:"), "{problems}");
}

#[test]
fn a_type_can_have_several_server_blocks() {
    let explicit = || App::empty("notes").server::<Notes>().state(Notes);
    assert_eq!(explicit().tool_names(), ["add_note", "count_notes"]);
    let automatic = App::from_module("notes", module_path!());
    let names = automatic.tool_names();
    assert!(["add_note", "count_notes"].iter().all(|name| names.iter().any(|other| other == name)), "{names:?}");
    run(async {
        let client = validated(explicit().test_client(), Revision::NEWEST).await.expect("the app is valid");
        assert_eq!(client.call("add_note", json!({"text": "x"})).await.expect("a result").text(), "x");
        assert_eq!(client.read("notes://first").await.expect("a result").text(), "first");
        assert!(client.get_prompt("sum_up_notes", ()).await.is_ok());
    });
    let missing = App::empty("notes").server::<Notes>().check().unwrap_err().to_string();
    assert!(missing.contains("`add_note`") && missing.contains("`count_notes`"), "{missing}");
}

#[derive(Clone, Debug, PartialEq)]
struct User(&'static str);

impl fmt::Display for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// Returns the user of the request.
#[mcp::tool]
async fn user(Extension(user): Extension<User>) -> String {
    user.to_string()
}

/// Returns the facts that the transport has about the request.
#[mcp::tool]
async fn facts(
    user: Option<Extension<User>>,
    client: Option<ClientAddr>,
    ctx: &Context,
    Headers(headers): Headers,
) -> String {
    assert_eq!(ctx.extension::<User>(), user.as_deref());
    assert_eq!(ctx.client_addr(), client);
    assert_eq!(ctx.headers(), &*headers);
    let user = user.map_or("nobody", |user| user.0.0);
    let tenant = headers.get("x-tenant").and_then(|value| value.to_str().ok()).unwrap_or("none");
    format!("{user} {tenant} {}", client.map_or("unknown".into(), |client| client.to_string()))
}

fn facts_app() -> App {
    App::empty("facts").tool::<user>().tool::<facts>().expose_headers(["X-Tenant"])
}

#[test]
fn a_test_client_has_headers_extensions_and_an_address() {
    for revision in [Revision::NEWEST, Revision::V2025_06_18] {
        run(async {
            let address = "192.0.2.1:80".parse().expect("an address");
            let client = facts_app().test_client().header("x-tenant", "acme").header("cookie", "a=b");
            let client = client.extension(User("ada")).client_addr(address);
            let client = validated(client, revision).await.expect("the app is valid");
            assert_eq!(client.call("facts", ()).await.expect("a result").text(), "ada acme 192.0.2.1:80");
            assert_eq!(client.call("user", ()).await.expect("a result").text(), "ada");
        });
    }
}

#[test]
fn a_principal_has_extensions_that_are_not_compared() {
    let ada = Principal::new("ada").extension(User("x")).extension(User("Ada"));
    assert_eq!(ada, Principal::new("ada"));
    run(async {
        let client = facts_app().test_client().principal(ada).await.expect("the app is valid");
        assert_eq!(client.call("user", ()).await.expect("a result").text(), "Ada");
    });
}

#[test]
fn a_missing_extension_fails_the_call_and_hides_the_type() {
    run(async {
        let client = facts_app().test_client().await.expect("the app is valid");
        assert_eq!(client.call("facts", ()).await.expect("a result").text(), "nobody none unknown");
        let failed = client.call("user", ()).await.expect("a result");
        assert!(failed.is_error() && !failed.text().contains("User"), "{}", failed.text());
        let client = facts_app().show_errors(true).test_client().await.expect("the app is valid");
        let failed = client.call("user", ()).await.expect("a result");
        for part in ["User", "`Principal::extension`", "middleware", "Option<Extension<T>>"] {
            assert!(failed.text().contains(part), "{part} in {}", failed.text());
        }
    });
}

#[test]
fn an_exposed_header_has_a_valid_name() {
    let problems = facts_app().expose_headers(["x tenant", "x-*-y", "ok", "ok-*", "*"]).check().unwrap_err();
    assert_eq!(problems.problems().len(), 2, "{problems}");
    assert!(problems.to_string().contains("App::expose_headers"), "{problems}");
}
