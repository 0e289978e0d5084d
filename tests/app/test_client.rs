//! `TestClient`, the client for tests of apps, in every revision.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::{RequestError, SubscriptionFilter, TestClient, assert_tools_snapshot};
use serde::Deserialize;
use serde_json::{Value, json};

use super::run;
use super::validated_client::validated;
use crate::support::Revision;

#[mcp::model]
struct Planet {
    name: String,
    moons: u32,
}

/// Lists the planets that have moons.
#[mcp::tool(read_only, title = "Planets with moons")]
async fn moons(
    /// Those with at least so many.
    #[arg(min = 1, default = 1)]
    at_least: u32,
) -> Result<Vec<Planet>, ToolError> {
    let planets = [("earth", 1), ("mars", 2)].map(|(name, moons)| Planet { name: name.into(), moons });
    let found: Vec<Planet> = planets.into_iter().filter(|planet| planet.moons >= at_least).collect();
    if found.is_empty() {
        return Err(ToolError::new(format!("no planet has {at_least} moons")));
    }
    Ok(found)
}

/// Reports what it does.
#[mcp::tool]
async fn report(ctx: &Context) -> &'static str {
    ctx.progress(1.0, Some(2.0), Some("half"));
    tokio::time::sleep(Duration::from_millis(10)).await;
    ctx.warning("it is late");
    ctx.progress(2.0, Some(2.0), Some("all"));
    "reported"
}

/// Returns the name of the client and its tenant.
#[mcp::tool]
async fn who(ctx: &Context) -> String {
    let client = ctx.client_info().name.unwrap_or_default();
    format!("{client} {}", ctx.meta().get("com.example/tenant").unwrap_or(&Value::Null))
}

/// Moves a planet.
#[mcp::tool]
async fn move_planet(name: &str, ctx: &Context) -> &'static str {
    ctx.notify_resource_updated(format!("planets://{name}"));
    "moved"
}

/// Returns the principal of the client.
#[mcp::tool]
async fn whoami(ctx: &Context) -> String {
    ctx.principal().map_or_else(|| "nobody".into(), |principal| principal.id().to_owned())
}

struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sleeps for ever.
#[mcp::tool(timeout = "1h")]
async fn sleep(dropped: State<Arc<AtomicBool>>) -> u32 {
    let _dropped = Dropped(Arc::clone(&dropped));
    std::future::pending().await
}

/// A planet.
#[mcp::resource("planets://{name}")]
async fn planet(#[arg(complete = names)] name: &str) -> Result<Option<Planet>, ToolError> {
    Ok((name == "mars").then(|| Planet { name: name.into(), moons: 2 }))
}

/// A picture.
#[mcp::resource("planets://picture", mime_type = "image/png")]
async fn picture() -> Vec<u8> {
    vec![1, 2, 3]
}

/// Asks for a poem.
#[mcp::prompt]
async fn poem(#[arg(complete = names)] name: &str, verses: u32) -> Vec<Message> {
    vec![Message::user(format!("Write {verses} verses on {name}.")), Message::assistant("Rhymed?")]
}

fn names(completing: CompletionRequest) -> Vec<String> {
    let names = match completing.argument("verses") {
        Some("1") => &["mars"][..],
        _ => &["earth", "mars", "venus"],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn app() -> App {
    let app = App::empty("planets").tool::<moons>().tool::<report>().tool::<who>().tool::<sleep>();
    let app = app.resource::<planet>().resource::<picture>().prompt::<poem>();
    app.state(Arc::new(AtomicBool::new(false)))
}

/// Runs a function with a client of each revision.
fn in_every_revision(work: impl AsyncFn(Revision, TestClient)) {
    for revision in Revision::ALL {
        run(async {
            let client = validated(app().page_size(1).test_client(), revision).await.expect("the app is valid");
            work(revision, client).await;
        });
    }
}

#[test]
fn tools_are_listed_and_called() {
    in_every_revision(async |revision, client| {
        let tools = client.list_tools().await.unwrap();
        let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        assert_eq!(names, ["moons", "report", "sleep", "who"], "each on a page of its own");

        #[derive(Debug, Deserialize, PartialEq)]
        struct Found {
            name: String,
            moons: u32,
        }
        let reply = client.call("moons", json!({"at_least": 2})).await.unwrap();
        assert_eq!(reply.structured::<Vec<Found>>(), [Found { name: "mars".into(), moons: 2 }], "{revision}");
        let is_wrapped = (Revision::V2025_06_18..Revision::NEWEST).contains(&revision);
        let text = r#"[{"name":"mars","moons":2}]"#;
        assert_eq!(reply.text(), if is_wrapped { format!(r#"{{"result":{text}}}"#) } else { text.to_owned() });

        let reply = client.call("moons", json!({"at_least": 3})).await.unwrap();
        assert!(reply.is_error());
        assert_eq!((reply.text().as_str(), reply.content().len()), ("no planet has 3 moons", 1));
        assert_eq!(reply.json()["isError"], true);

        let failure = client.call("moon", json!({})).await.unwrap_err();
        assert_eq!(failure.code(), -32602, "{failure}");
        assert!(failure.message().contains("\"moons\""), "{failure}");
        assert!(!failure.is_unanswered());
    });
}

#[test]
fn resources_are_listed_and_read() {
    in_every_revision(async |revision, client| {
        assert_eq!(client.list_resources().await.unwrap()[0]["uri"], "planets://picture");
        assert_eq!(client.list_resource_templates().await.unwrap()[0]["uriTemplate"], "planets://{name}");
        assert_eq!(client.read("planets://picture").await.unwrap().bytes(), [1, 2, 3]);
        let mars = client.read("planets://mars").await.unwrap();
        assert_eq!(mars.structured::<Value>(), json!({"name": "mars", "moons": 2}));
        assert_eq!(mars.contents()[0]["mimeType"], "application/json");
        let failure: RequestError = client.read("planets://pluto").await.unwrap_err();
        assert_eq!(failure.code(), if revision.is_modern() { -32602 } else { -32002 });
        assert_eq!(failure.data(), Some(&json!({"uri": "planets://pluto"})));
    });
}

#[test]
fn prompts_are_listed_completed_and_filled_in() {
    in_every_revision(async |revision, client| {
        assert_eq!(client.list_prompts().await.unwrap()[0]["name"], "poem");
        let poem = client.get_prompt("poem", json!({"name": "mars", "verses": 2})).await.unwrap();
        assert_eq!(poem.text(), "Write 2 verses on mars.\nRhymed?");
        assert_eq!(poem.messages()[1]["role"], "assistant");
        assert_eq!(client.get_prompt("poem", json!({"verses": 2})).await.unwrap_err().code(), -32602);

        let names = client.complete_prompt("poem", "name", "m").await.unwrap();
        assert_eq!((names.values(), names.total(), names.has_more()), (vec!["mars"], Some(1), false));
        let names = client.complete_resource("planets://{name}", "name", "").await.unwrap();
        assert_eq!(names.values(), ["earth", "mars", "venus"]);
        let names = client.complete_prompt("poem", "name", "").context("verses", "1").await.unwrap();
        assert_eq!(names.values().len(), if revision < Revision::V2025_06_18 { 3 } else { 1 });
    });
}

#[test]
fn notifications_of_a_call_come_before_its_result() {
    for revision in Revision::ALL {
        run(async {
            let client = validated(app().test_client().log_level(LoggingLevel::Warning), revision).await.unwrap();
            let reply = client.call("report", json!({})).progress_token("t").await.unwrap();
            assert_eq!(reply.text(), "reported");
            let told = client.notifications();
            let progress: Vec<&Value> =
                told.iter().map(|one| &one.params["progress"]).filter(|p| !p.is_null()).collect();
            assert_eq!(progress.last().and_then(|last| last.as_f64()), Some(2.0), "{told:?}");
            assert!(told.iter().any(|one| one.method == "notifications/message" && one.params["data"] == "it is late"));
            assert_eq!(client.notifications(), []);

            client.call("report", json!({})).await.unwrap();
            let told = client.notifications();
            assert!(told.iter().all(|one| one.method == "notifications/message"), "nobody asked: {told:?}");
        });
    }
}

#[test]
fn a_request_carries_client_info_and_meta() {
    for revision in Revision::ALL {
        run(async {
            let client = validated(app().test_client().client_info("tester", "1"), revision).await.unwrap();
            let reply = client.call("who", json!({})).meta("com.example/tenant", "acme").await.unwrap();
            assert_eq!(reply.text(), "tester \"acme\"");
            let discovered = client.discover().await.unwrap();
            assert!(discovered["capabilities"]["tools"].is_object(), "{discovered}");
        });
    }
}

#[test]
fn subscribed_clients_are_notified_of_changes() {
    for revision in Revision::ALL {
        run(async {
            let app = App::empty("planets").tool::<move_planet>().resource::<planet>();
            let client = validated(app.test_client(), revision).await.unwrap();
            let filter = SubscriptionFilter::new().tools_list_changed(true).resource("planets://mars");
            let mut mars = client.listen(filter).await.unwrap();
            // The tools of this app never change, so no notification is sent.
            assert_eq!(mars.acknowledged(), &json!({"resourceSubscriptions": ["planets://mars"]}), "{revision}");
            let mut earth = client.listen(SubscriptionFilter::new().resource("planets://earth")).await.unwrap();

            client.call("move_planet", json!({"name": "mars"})).await.unwrap();
            let told = mars.next().await.expect("it is open");
            assert_eq!(told.method, "notifications/resources/updated");
            assert_eq!(told.params["uri"], "planets://mars");
            client.call("move_planet", json!({"name": "earth"})).await.unwrap();
            assert_eq!(earth.next().await.expect("it is open").params["uri"], "planets://earth");
            assert_eq!(mars.try_next(), None);

            mars.cancel();
            client.call("move_planet", json!({"name": "mars"})).await.unwrap();
            client.call("move_planet", json!({"name": "earth"})).await.unwrap();
            assert_eq!(earth.next().await.expect("it is open").params["uri"], "planets://earth");
            assert_eq!(client.notifications(), [], "{revision}");
        });
    }
}

#[test]
fn a_client_can_have_a_principal() {
    run(async {
        let app = || App::empty("x").tool::<whoami>();
        let client = validated(app().test_client(), Revision::V2026_07_28).await.unwrap();
        assert_eq!(client.call("whoami", json!({})).await.unwrap().text(), "nobody");
        let client = app().test_client().principal(Principal::new("ada"));
        let client = validated(client, Revision::V2026_07_28).await.unwrap();
        assert_eq!(client.call("whoami", json!({})).await.unwrap().text(), "ada");
    });
}

#[test]
fn a_call_that_is_dropped_is_cancelled() {
    for revision in Revision::ALL {
        let dropped = Arc::new(AtomicBool::new(false));
        run(async {
            let app = App::empty("x").tool::<sleep>().tool::<moons>().state(Arc::clone(&dropped));
            let client = validated(app.test_client(), revision).await.unwrap();
            let call = client.call("sleep", json!({}));
            assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
            while !dropped.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert!(!client.call("moons", json!({})).await.unwrap().is_error());
        });
    }
}

#[test]
fn several_tasks_can_call_at_once() {
    in_every_revision(async |_, client| {
        let calls: Vec<_> =
            (1..=50).map(|n| tokio::spawn(client.call("moons", json!({"at_least": n % 2 + 1})))).collect();
        for (call, n) in calls.into_iter().zip(1..) {
            let found: Vec<Value> = call.await.unwrap().unwrap().structured();
            assert_eq!(found.len(), if n % 2 == 0 { 2 } else { 1 });
        }
    });
}

#[test]
fn other_requests_can_be_sent_by_hand() {
    run(async {
        let client = validated(app().test_client(), Revision::V2026_07_28).await.unwrap();
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "1999-01-01"});
        let failure = client.request("no/such", json!({"_meta": meta})).await.unwrap_err();
        assert_eq!(failure.code(), -32022);
        assert_eq!(failure.data().unwrap()["requested"], "1999-01-01");
        assert_eq!(client.request("no/such", Value::Null).await.unwrap_err().code(), -32601);
        client.notify("notifications/roots/list_changed", Value::Null);
    });
}

#[test]
fn an_unservable_app_has_no_client() {
    run(async {
        let error = App::empty("x").tool::<sleep>().test_client().await.unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains("`sleep`"), "{error}");
    });
}

#[test]
fn the_tools_match_their_lock_file() {
    // Without its state the app cannot be served, but it says what it offers.
    let app = || App::empty("planets").tool::<moons>().tool::<sleep>();
    assert_tools_snapshot!(app(), "app/planets.json");
    run(async {
        let client = app().state(Arc::new(AtomicBool::new(false))).test_client().await.unwrap();
        assert_tools_snapshot!(client.list_tools().await.unwrap(), "app/planets.json");
    });
}
