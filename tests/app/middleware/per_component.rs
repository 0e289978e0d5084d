//! Middleware around one tool, resource or prompt, whichever way it is attached.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastmcp_rs::elicitation::ElicitationResult;
use fastmcp_rs::testing::ClientReply;
use fastmcp_rs::visibility::Selector;

use super::*;

/// The operations that the middleware of attributes has seen, by the test's own argument, because the expression of an
/// attribute has no access to the test.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Records the operations of a test, which the `_meta` of its requests names.
#[derive(Clone, Copy)]
struct Stamp(&'static str);

impl Stamp {
    fn new(name: &'static str) -> Stamp {
        Stamp(name)
    }
}

impl Layer for Stamp {
    async fn handle(&self, operation: Operation, next: Next) -> Result<Response, OperationError> {
        note(&operation, self.0);
        next.run(operation).await
    }
}

fn note(operation: &Operation, name: &str) {
    let test =
        operation.context().meta().get("com.example/test").and_then(Value::as_str).unwrap_or_default().to_owned();
    let line = format!("{test}: {name} {} {}", operation.method().as_str(), operation.name());
    SEEN.lock().unwrap().push(line);
}

/// Removes and returns the records of a test.
fn seen(test: &str) -> Vec<String> {
    let prefix = format!("{test}: ");
    let mut all = SEEN.lock().unwrap();
    let own = all.iter().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect();
    all.retain(|line| !line.starts_with(&prefix));
    own
}

async fn ask(client: &mut Client, test: &str, method: &str, params: Value) -> Value {
    client.ask_with(method, params, json!({"com.example/test": test})).await.1
}

/// Greets with middleware.
#[mcp::tool(middleware = [Stamp::new("first"), Stamp::new("second")])]
async fn stamped_tool() -> &'static str {
    "a tool"
}

/// A plain tool beside it.
#[mcp::tool]
fn plain_tool() -> &'static str {
    "plain"
}

/// A resource with middleware.
#[mcp::resource("stamped://{id}", middleware = Stamp::new("resource"))]
fn stamped_resource(id: &str) -> String {
    format!("resource {id}")
}

async fn stamped_names(_: fastmcp_rs::CompletionRequest) -> Vec<String> {
    vec!["Ada".into()]
}

/// A prompt with middleware that is a closure.
#[mcp::prompt(middleware = middleware::from_fn(|operation, next| async move {
    note(&operation, "prompt");
    next.run(operation).await
}))]
fn stamped_prompt(#[arg(complete = stamped_names)] name: &str) -> String {
    format!("prompt {name}")
}

struct Desk;

#[mcp::server]
impl Desk {
    const LAYER: Stamp = Stamp("desk");

    /// A method with middleware.
    #[tool(middleware = Self::LAYER)]
    async fn at_the_desk(&self, ctx: &Context) -> Result<String, ToolError> {
        // A call by a handler passes through the middleware of the tool that it calls.
        Ok(ctx.call_tool("stamped_tool", json!({})).await?.as_text())
    }
}

fn stamped_app() -> App {
    App::empty("stamped")
        .version("1.0.0")
        .tool::<stamped_tool>()
        .tool::<plain_tool>()
        .resource::<stamped_resource>()
        .prompt::<stamped_prompt>()
        .server::<Desk>()
        .state(Desk)
}

#[test]
fn the_middleware_of_an_attribute_wraps_every_request_for_its_component_and_no_other() {
    run(async {
        for revision in Revision::ALL {
            let test = revision.name();
            let mut client = Client::connect(stamped_app(), revision).await;
            let answer = ask(&mut client, test, "tools/call", json!({"name": "stamped_tool", "arguments": {}})).await;
            assert_eq!(text(&answer), "a tool");
            assert_eq!(seen(test), ["first tools/call stamped_tool", "second tools/call stamped_tool"]);
            ask(&mut client, test, "resources/read", json!({"uri": "stamped://7"})).await;
            assert_eq!(seen(test), ["resource resources/read stamped://7"]);
            ask(&mut client, test, "prompts/get", json!({"name": "stamped_prompt", "arguments": {"name": "x"}})).await;
            assert_eq!(seen(test), ["prompt prompts/get stamped_prompt"]);
            let reference = json!({"type": "ref/prompt", "name": "stamped_prompt"});
            let typed = json!({"name": "name", "value": "A"});
            ask(&mut client, test, "completion/complete", json!({"ref": reference, "argument": typed})).await;
            assert_eq!(seen(test), ["prompt completion/complete stamped_prompt"]);
            for method in ["tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
                ask(&mut client, test, method, Value::Null).await;
            }
            ask(&mut client, test, "tools/call", json!({"name": "plain_tool", "arguments": {}})).await;
            assert!(seen(test).is_empty(), "lists and other components have no such middleware");
        }
    });
}

#[test]
fn a_nested_call_passes_through_the_middleware_of_both_tools() {
    run(async {
        let test = "nested";
        let mut client = Client::connect(stamped_app(), Revision::NEWEST).await;
        let answer = ask(&mut client, test, "tools/call", json!({"name": "at_the_desk", "arguments": {}})).await;
        assert_eq!(text(&answer), "a tool");
        let inner = ["first tools/call stamped_tool", "second tools/call stamped_tool"];
        assert_eq!(seen(test), [&["desk tools/call at_the_desk"][..], &inner].concat());
    });
}

/// Is created with middleware that is counted.
#[mcp::tool(middleware = Counted::new())]
fn counted() -> &'static str {
    "counted"
}

thread_local! {
    /// The number of layers that this test has created: apps of other tests have the tool, too.
    static COUNTED: Cell<usize> = const { Cell::new(0) };
    static IS_REFUSING: Cell<bool> = const { Cell::new(false) };
}

struct Counted(AtomicUsize);

impl Counted {
    fn new() -> Counted {
        COUNTED.set(COUNTED.get() + 1);
        Counted(AtomicUsize::new(0))
    }
}

impl Layer for Counted {
    async fn handle(&self, operation: Operation, _next: Next) -> Result<Response, OperationError> {
        operation.respond(ToolResult::text(format!("call {}", self.0.fetch_add(1, Ordering::SeqCst))))
    }
}

#[test]
fn the_expression_of_an_attribute_is_evaluated_once_per_app() {
    run(async {
        for app in 1..=2 {
            let mut client = Client::connect(App::empty("x").tool::<counted>(), Revision::NEWEST).await;
            for call in 0..3 {
                assert_eq!(text(&client.call("counted", json!({})).await), format!("call {call}"));
            }
            assert_eq!(COUNTED.get(), app);
        }
    });
}

fn refuse() -> Counted {
    assert!(!IS_REFUSING.get(), "no middleware today");
    Counted::new()
}

/// Has middleware whose expression panics.
#[mcp::tool(middleware = refuse())]
fn refusing() {}

#[test]
fn an_app_does_not_start_if_the_expression_of_an_attribute_panics() {
    IS_REFUSING.set(true);
    let error = App::empty("x").tool::<refusing>().check().unwrap_err();
    let problem = &error.problems()[0];
    assert_eq!((problem.subject(), error.problems().len()), ("tool `refusing`", 1));
    assert!(problem.text().starts_with("its middleware panicked: no middleware today, at "), "{problem}");
}

#[test]
fn app_layers_are_outermost_then_selected_ones_then_those_of_the_component() {
    run(async {
        let journal = Journal::default();
        let witness = |name| Witness(name, journal.clone());
        let tool = DynamicTool::new("charge", json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("paid") })
            .tag("money")
            .middleware(witness("own 1"))
            .middleware(witness("own 2"));
        let inner = App::empty("pay")
            .add_tool(tool)
            .tool::<double>()
            .layer_for(Selector::tool("charge"), witness("inner selected"))
            .layer(witness("inner app"));
        let outer = App::empty("shop")
            .mount("pay", inner)
            .layer_for(Selector::tag("money"), witness("outer by tag"))
            .layer_for(Selector::tool("pay_charge"), witness("outer by name"))
            .layer(witness("outer app"));
        let mut client = Client::connect(outer, Revision::NEWEST).await;
        assert_eq!(text(&client.call("pay_charge", json!({})).await), "paid");
        let order = ["outer app", "outer by tag", "outer by name", "inner app", "inner selected", "own 1", "own 2"];
        let entered = |lines: Vec<String>| -> Vec<String> {
            lines.iter().filter_map(|line| Some(line.split_once(" > ")?.0.to_owned())).collect()
        };
        assert_eq!(entered(read(&journal)), order);
        client.call("pay_double", json!({"number": 2})).await;
        assert_eq!(entered(read(&journal)), ["outer app", "inner app"]);
    });
}

#[test]
fn selected_middleware_wraps_resources_prompts_and_components_that_are_added_later() {
    run(async {
        let journal = Journal::default();
        let witness = |name| Witness(name, journal.clone());
        let app = app()
            .layer_for(Selector::resource("notes://{any}"), witness("note"))
            .layer_for(Selector::prompt("greet"), witness("greet"))
            .layer_for(Selector::tool("late"), witness("late"));
        let handle = app.handle();
        let mut client = Client::connect(app, Revision::NEWEST).await;
        client.ask("resources/read", json!({"uri": "notes://7"})).await;
        assert_eq!(read(&journal)[0], "note > resources/read notes://7");
        client.ask("resources/read", json!({"uri": "notes:about"})).await;
        assert!(read(&journal).is_empty());
        client.ask("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}})).await;
        assert_eq!(read(&journal)[0], "greet > prompts/get greet");
        let late = || DynamicTool::new("late", json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("late") });
        handle.add_tool(late()).unwrap();
        client.call("late", json!({})).await;
        assert_eq!(read(&journal)[0], "late > tools/call late");
        assert!(handle.replace_tool(late()).unwrap());
        client.call("late", json!({})).await;
        assert_eq!(read(&journal)[0], "late > tools/call late", "the replacement is wrapped, too");
    });
}

#[test]
fn an_app_does_not_start_if_middleware_selects_nothing() {
    let nothing = || middleware::from_fn(|operation, next: Next| next.run(operation));
    for (selector, missing) in [
        (Selector::tool("dubble"), "the app has no tool `dubble`"),
        (Selector::resource("notes://a/b"), "the app has no resource `notes://a/b`"),
        (Selector::prompt("meet"), "the app has no prompt `meet`"),
        (Selector::tag("slow"), "the app has no component with the tag `slow`"),
    ] {
        let error = app().layer_for(selector.clone(), nothing()).check().unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        assert_eq!(error.problems()[0].text(), missing);
        let dynamic = app().layer_for(selector, nothing());
        dynamic.handle();
        dynamic.check().expect("a handle may add it");
    }
    app().layer_for(Selector::tool("double"), nothing()).check().unwrap();
}

/// Asks before it works.
#[mcp::tool(middleware = Stamp::new("asking"))]
async fn asking(ctx: &Context) -> Result<&'static str, ToolError> {
    match ctx.elicit::<bool>("Really?").await? {
        ElicitationResult::Accepted(true) => Ok("done"),
        _ => Ok("left"),
    }
}

#[test]
fn the_middleware_of_an_attribute_runs_in_each_round_of_a_call() {
    run(async {
        let app = App::empty("x").tool::<asking>();
        let client = app.test_client().on_elicitation(|_| ClientReply::accept(json!({"value": true}))).await.unwrap();
        assert_eq!(client.call("asking", json!({})).await.unwrap().text(), "done");
        assert_eq!(seen(""), ["asking tools/call asking", "asking tools/call asking"]);
    });
}

#[test]
fn dynamic_resources_and_prompts_have_their_own_middleware() {
    run(async {
        let journal = Journal::default();
        let resource = DynamicResource::new("log://{day}", |_, _| async { Ok::<_, ToolError>("quiet".to_owned()) })
            .middleware(Witness("r", journal.clone()));
        let prompt = DynamicPrompt::new("sum", |_, _| async { Ok::<_, ToolError>("Sum up.") })
            .middleware(Witness("p", journal.clone()));
        let app = App::empty("x").add_resource(resource).add_prompt(prompt);
        let mut client = Client::connect(app, Revision::NEWEST).await;
        client.ask("resources/read", json!({"uri": "log://1"})).await;
        client.ask("prompts/get", json!({"name": "sum"})).await;
        let entered: Vec<String> = read(&journal).into_iter().filter(|line| line.contains(" > ")).collect();
        assert_eq!(entered, ["r > resources/read log://1", "p > prompts/get sum"]);
    });
}
