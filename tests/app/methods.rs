//! Methods as tools, resources and prompts, in process.

use std::sync::atomic::{AtomicU32, Ordering};

use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::{ask, call, list, run};

#[derive(Default)]
pub struct Counter {
    name: String,
    count: AtomicU32,
}

#[mcp::server]
impl Counter {
    /// Adds to the count.
    #[tool(destructive = false)]
    async fn add(&self, #[arg(min = 1)] by: u32) -> u32 {
        tokio::task::yield_now().await;
        self.count.fetch_add(by, Ordering::Relaxed) + by
    }

    /// Its name, borrowed across a wait.
    #[tool]
    async fn name(&self) -> &str {
        tokio::task::yield_now().await;
        &self.name
    }

    /// Its name, borrowed on a thread that may block.
    #[tool]
    fn name_blocking(&self, suffix: &str) -> Result<&str, ToolError> {
        self.name.strip_suffix(suffix).ok_or_else(|| ToolError::new(format!("{} does not end so", self.name)))
    }

    /// Its name, from code that blocks in between.
    #[tool(blocking)]
    async fn name_sometimes_blocking(&self) -> String {
        self.name.clone()
    }

    /// Whether it counts at all.
    #[tool(inline)]
    fn counts(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Needs no counter.
    #[tool]
    fn double(number: i64) -> i64 {
        number * 2
    }

    /// The count.
    #[resource("counter://count")]
    fn count(&self) -> String {
        self.count.load(Ordering::Relaxed).to_string()
    }

    /// The count in another base; the variable is not the method's `self`.
    #[resource("counter://in/{self}")]
    async fn in_base(&self, #[arg(rename = "self")] base: u32) -> String {
        format!("{} in {base}", self.count.load(Ordering::Relaxed))
    }

    /// Begins a talk about the counter.
    #[prompt(title = "Talk")]
    async fn talk(&self, times: u8) -> String {
        format!("{}: {times}", self.name)
    }
}

pub struct Stateless;

#[mcp::server]
impl Stateless {
    /// Halves a number.
    #[tool]
    fn halve(number: f64) -> f64 {
        number / 2.0
    }
}

fn app() -> App {
    App::empty("counter").server::<Counter>().state(Counter { name: "clicks".into(), count: AtomicU32::new(3) })
}

#[test]
fn methods_run_on_the_state_of_the_app() {
    for (tool, arguments, text) in [
        ("add", json!({"by": 2}), "5"),
        ("name", json!({}), "clicks"),
        ("name_blocking", json!({"suffix": "cks"}), "cli"),
        ("name_sometimes_blocking", json!({}), "clicks"),
        ("counts", json!({}), "true"),
        ("double", json!({"number": 21}), "42"),
    ] {
        let result = call(app(), tool, arguments, Value::Null);
        assert_eq!(result["content"][0]["text"], text, "{tool}: {result}");
        assert_eq!(result.get("isError"), None, "{tool}: {result}");
    }
    let refused = call(app(), "name_blocking", json!({"suffix": "x"}), Value::Null);
    assert_eq!(refused["content"][0]["text"], "clicks does not end so");
    let refused = call(app(), "add", json!({"by": 0, "self": 1}), Value::Null);
    let text = refused["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("/by") && text.contains("/self"), "`self` is no argument: {text}");
}

#[test]
fn resources_and_prompts_can_be_methods() {
    run(async {
        let mut wire = app().connect().await.expect("the app is valid");
        for (uri, text) in [("counter://count", "3"), ("counter://in/16", "3 in 16")] {
            let answer = ask(&mut wire, "resources/read", json!({"uri": uri}), Value::Null).await;
            assert_eq!(answer["result"]["contents"][0]["text"], text, "{answer}");
        }
        let params = json!({"name": "talk", "arguments": {"times": "2"}});
        let answer = ask(&mut wire, "prompts/get", params, Value::Null).await;
        assert_eq!(answer["result"]["messages"][0]["content"]["text"], "clicks: 2", "{answer}");
    });
}

#[test]
fn methods_register_automatically_or_by_their_type() {
    let automatic = App::from_module("counter", module_path!()).state(Counter::default());
    let explicit = App::empty("counter").server::<Counter>().server::<Stateless>().state(Counter::default());
    assert_eq!(
        automatic.tool_names(),
        ["add", "counts", "double", "halve", "name", "name_blocking", "name_sometimes_blocking"]
    );
    assert_eq!(list(automatic).to_string(), list(explicit).to_string());
    App::empty("stateless").server::<Stateless>().check().expect("no method needs a state");
}

#[test]
fn a_missing_state_is_reported_with_its_methods() {
    let text = App::empty("counter").server::<Counter>().check().unwrap_err().to_string();
    for part in ["methods::Counter", "`add`", "`count`", "`talk`"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("`double`"), "{text}");
    let twice = app().server::<Counter>().check().unwrap_err().to_string();
    assert!(twice.contains("`add`") && twice.contains("methods.rs:"), "{twice}");
}

#[test]
fn methods_can_be_called_directly() {
    let counter = Counter { name: "clicks".into(), ..Counter::default() };
    assert_eq!(run(counter.add(2)), 2);
    assert_eq!(counter.name_blocking("s").expect("it ends so"), "click");
    assert_eq!(Counter::double(2), 4);
}
