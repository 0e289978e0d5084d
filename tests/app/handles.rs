//! Handles: as parameters of handlers, for replacements and sets of components, beyond the end of their apps, and in
//! destructors of components.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fastmcp_rs::LoggingLevel;
use fastmcp_rs::handler::{FromContext, Requirements};
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::SubscriptionFilter;
use fastmcp_rs::visibility::Selector;
use serde_json::{Value, json};

use super::run;
use super::support::Revision;
use super::validated_client::validated;

/// Uses the handle in its destructor, and counts that.
struct Guard(AppHandle, Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.remove_tool("of the guard");
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

fn guarded(name: &str, handle: &AppHandle, ended: &Arc<AtomicUsize>) -> DynamicTool {
    let guard = Guard(handle.clone(), Arc::clone(ended));
    DynamicTool::new(name, json!({"type": "object"}), move |_, _| {
        let _ = &guard;
        async { Ok::<_, ToolError>("done") }
    })
}

/// Runs work on a thread, and fails if it deadlocks.
fn in_time(work: impl FnOnce() + Send + 'static) {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        work();
        let _ = tell.send(());
    });
    told.recv_timeout(Duration::from_secs(10)).expect("it waits for itself");
}

#[test]
fn destructors_of_removed_and_refused_components_may_use_the_handle() {
    in_time(|| {
        let ended = Arc::new(AtomicUsize::new(0));
        let app = App::empty("x").mount("in", App::empty("y"));
        let handle = app.handle();
        handle.add_tool(guarded("a", &handle, &ended)).unwrap();
        handle.add_tool(guarded("a", &handle, &ended)).unwrap_err();
        assert_eq!(ended.load(Ordering::Relaxed), 1);
        assert!(handle.remove_tool("a"));
        assert_eq!(ended.load(Ordering::Relaxed), 2);
        // The same once it was served, so that the earlier snapshot is its last owner.
        run(async {
            let client = app.test_client().await.unwrap();
            handle.add_tool(guarded("b", &handle, &ended)).unwrap();
            assert_eq!(client.call("b", json!({})).await.unwrap().text(), "done");
            assert!(handle.remove_tool("b"));
            assert!(client.list_tools().await.unwrap().is_empty());
            assert_eq!(ended.load(Ordering::Relaxed), 3);
        });
    });
}

#[test]
fn a_component_cannot_be_added_to_an_app_that_has_ended() {
    run(async {
        let inner = App::empty("y");
        let (inside, app) = (inner.handle(), App::empty("x").mount("in", inner));
        let handle = app.handle();
        app.test_client().await.unwrap().close().await;
        let ended = Arc::new(AtomicUsize::new(0));
        for handle in [&handle, &inside] {
            let mut refused = handle.add_tool(guarded("a", handle, &ended));
            // The server may end a little later than the client.
            for _ in 0..100 {
                if refused.is_err() {
                    break;
                }
                handle.remove_tool("a");
                tokio::time::sleep(Duration::from_millis(10)).await;
                refused = handle.add_tool(guarded("a", handle, &ended));
            }
            let text = refused.unwrap_err().to_string();
            assert!(text.contains("its app is no longer served"), "{text}");
        }
        assert!(ended.load(Ordering::Relaxed) >= 2, "nobody keeps what was refused");
    });
}

fn answering(name: &str, text: &'static str) -> DynamicTool {
    DynamicTool::new(name, json!({"type": "object"}), move |_, _| async move { Ok::<_, ToolError>(text) })
}

/// Installs a tool.
#[mcp::tool]
async fn install(name: &str, app: AppHandle) -> Result<(), ToolError> {
    Ok(app.add_tool(answering(name, "installed"))?)
}

/// Uninstalls a tool.
#[mcp::tool]
fn uninstall(name: &str, app: State<AppHandle>) -> String {
    app.remove_tool(name).to_string()
}

struct Installed(AppHandle);

impl FromContext for Installed {
    type Error = ToolError;

    async fn from_context(context: &Context) -> Result<Self, ToolError> {
        Ok(Installed(AppHandle::from_context(context).await?))
    }

    fn requirements(requirements: &mut Requirements) {
        AppHandle::requirements(requirements);
    }
}

/// Installs a tool from a prompt, by an extractor of its own.
#[mcp::prompt]
fn install_by_prompt(app: Installed) -> Result<String, ToolError> {
    app.0.add_tool(answering("prompted", "installed"))?;
    Ok("Done.".into())
}

#[test]
fn a_handler_takes_the_handle_without_any_registration() {
    run(async {
        for revision in Revision::ALL {
            let app = App::empty("plugins").tool::<install>().tool::<uninstall>().prompt::<install_by_prompt>();
            let client = validated(app.test_client(), revision).await.unwrap();
            let capabilities = client.discover().await.unwrap()["capabilities"].take();
            for list in ["tools", "resources", "prompts"] {
                assert_eq!(
                    capabilities[list]["listChanged"], true,
                    "it is declared from the beginning: {capabilities}"
                );
            }
            let mut changes = client.listen(SubscriptionFilter::new().tools_list_changed(true)).await.unwrap();
            client.call("install", json!({"name": "plugin"})).await.unwrap();
            assert_eq!(changes.next().await.unwrap().method, "notifications/tools/list_changed");
            assert_eq!(client.call("plugin", json!({})).await.unwrap().text(), "installed");
            assert_eq!(client.call("uninstall", json!({"name": "plugin"})).await.unwrap().text(), "true");
            client.call("plugin", json!({})).await.unwrap_err();
            client.get_prompt("install_by_prompt", json!({})).await.unwrap();
            assert_eq!(client.call("prompted", json!({})).await.unwrap().text(), "installed");
        }
    });
}

#[test]
fn a_handler_of_a_mounted_app_gets_the_handle_of_its_own_app() {
    run(async {
        let inner = App::empty("inner").tool::<install>().tool::<uninstall>();
        let client = App::empty("outer").tool::<uninstall>().mount("in", inner).test_client().await.unwrap();
        client.call("in_install", json!({"name": "plugin"})).await.unwrap();
        assert_eq!(client.call("in_plugin", json!({})).await.unwrap().text(), "installed");
        assert_eq!(client.call("uninstall", json!({"name": "plugin"})).await.unwrap().text(), "false");
        assert_eq!(client.call("in_uninstall", json!({"name": "plugin"})).await.unwrap().text(), "true");
    });
}

#[test]
fn a_state_factory_and_a_shutdown_hook_take_the_handle() {
    struct Watcher(AppHandle);
    run(async {
        let (ended, end) = mpsc::channel();
        let client = App::empty("x")
            .state_with(|app: State<AppHandle>| async move { Ok::<_, std::io::Error>(Watcher((*app).clone())) })
            .state_with(|watcher: State<Watcher>| async move {
                watcher.0.add_tool(answering("watched", "seen")).map(|()| Started)
            })
            .on_shutdown(|app: State<AppHandle>| async move {
                let _ = ended.send(app.remove_tool("watched"));
            })
            .test_client()
            .await
            .unwrap();
        assert_eq!(client.call("watched", json!({})).await.unwrap().text(), "seen");
        client.close().await;
        assert_eq!(end.recv_timeout(Duration::from_secs(10)), Ok(true));
    });
}

struct Started;

#[test]
fn an_app_that_has_its_handle_as_a_state_keeps_it() {
    run(async {
        let app = App::empty("x").tool::<uninstall>();
        let other = App::empty("other").handle();
        other.add_tool(answering("elsewhere", "x")).unwrap();
        let client = app.state(other).test_client().await.unwrap();
        assert_eq!(client.call("uninstall", json!({"name": "elsewhere"})).await.unwrap().text(), "true");
    });
}

#[test]
fn a_replacement_is_one_step_for_clients() {
    run(async {
        for revision in Revision::ALL {
            let app = App::empty("x").tool::<replaced>().resource::<page>().prompt::<question>();
            let handle = app.handle();
            let client = validated(app.test_client(), revision).await.unwrap();
            let filter = SubscriptionFilter::new()
                .tools_list_changed(true)
                .resources_list_changed(true)
                .prompts_list_changed(true);
            let mut changes = client.listen(filter).await.unwrap();
            assert!(handle.replace_tool(answering("replaced", "new")).unwrap(), "a function is replaced, too");
            assert_eq!(changes.next().await.unwrap().method, "notifications/tools/list_changed");
            assert_eq!(client.call("replaced", json!({})).await.unwrap().text(), "new");
            let other = DynamicResource::new("page://{id}", |_, _| async { Ok::<_, ToolError>("new".to_owned()) });
            assert!(handle.replace_resource(other).unwrap(), "names of variables do not matter");
            assert_eq!(changes.next().await.unwrap().method, "notifications/resources/list_changed");
            assert_eq!(client.read("page://1").await.unwrap().text(), "new");
            assert_eq!(client.list_resource_templates().await.unwrap().len(), 1);
            let other = DynamicPrompt::new("question", |_, _| async { Ok::<_, ToolError>("new?") });
            assert!(handle.replace_prompt(other).unwrap());
            assert_eq!(changes.next().await.unwrap().method, "notifications/prompts/list_changed");
            assert!(!handle.replace_tool(answering("added", "first")).unwrap(), "it is added if there is none");
            assert_eq!(changes.next().await.unwrap().method, "notifications/tools/list_changed");
            assert_eq!(changes.try_next().map(|change| change.method), None, "one notification per change");
        }
    });
}

/// Is replaced.
#[mcp::tool]
fn replaced() -> &'static str {
    "old"
}

/// Is replaced.
#[mcp::resource("page://{number}")]
fn page(number: u32) -> String {
    format!("old {number}")
}

/// Is replaced.
#[mcp::prompt]
fn question() -> &'static str {
    "old?"
}

#[test]
fn no_call_finds_a_gap_while_a_tool_is_replaced() {
    run(async {
        let app = App::empty("x");
        let handle = app.handle();
        handle.add_tool(answering("busy", "0")).unwrap();
        let client = app.test_client().await.unwrap();
        let replacing = thread::spawn(move || {
            for _ in 0..2_000 {
                assert!(handle.replace_tool(answering("busy", "1")).unwrap());
            }
        });
        while !replacing.is_finished() {
            client.call("busy", json!({})).await.unwrap();
        }
        replacing.join().unwrap();
    });
}

#[test]
fn a_refused_replacement_keeps_the_earlier_component() {
    run(async {
        let inner = App::empty("pay").tool::<replaced>();
        let app = App::empty("x").mount("pay", inner);
        let handle = app.handle();
        handle.add_tool(answering("kept", "old")).unwrap();
        handle.disable(Selector::tool("hidden"));
        let client = app.test_client().await.unwrap();
        let invalid = DynamicTool::new("kept", json!({"type": "string"}), |_, _| async { Ok::<_, ToolError>("") });
        handle.replace_tool(invalid).unwrap_err();
        assert_eq!(client.call("kept", json!({})).await.unwrap().text(), "old");
        // The tool of a mounted app belongs to that app.
        let error = handle.replace_tool(answering("pay_replaced", "new")).unwrap_err().to_string();
        assert!(error.contains("belongs to another app: replace it with a handle of that app"), "{error}");
        assert_eq!(client.call("pay_replaced", json!({})).await.unwrap().text(), "old");
        // A rule stays.
        handle.add_tool(answering("hidden", "old")).unwrap();
        handle.replace_tool(answering("hidden", "new")).unwrap();
        client.call("hidden", json!({})).await.unwrap_err();
    });
}

struct Admin(u32);

#[mcp::server]
impl Admin {
    /// Counts the users.
    #[tool]
    async fn count_users(&self) -> String {
        self.0.to_string()
    }

    /// A user.
    #[resource("users://{id}")]
    async fn user(&self, id: u32) -> String {
        format!("user {id} of {}", self.0)
    }

    /// Reviews the users.
    #[prompt]
    async fn review_users(&self) -> String {
        format!("Review {} users.", self.0)
    }
}

#[test]
fn a_set_of_components_is_added_and_removed_in_one_step() {
    run(async {
        for revision in Revision::ALL {
            let app = App::empty("x").state(Admin(3));
            let handle = app.handle();
            let client = validated(app.test_client(), revision).await.unwrap();
            let mut changes = client.listen(SubscriptionFilter::new().tools_list_changed(true)).await.unwrap();
            handle.server::<Admin>().unwrap();
            assert_eq!(changes.next().await.unwrap().method, "notifications/tools/list_changed");
            assert_eq!(client.call("count_users", json!({})).await.unwrap().text(), "3");
            assert_eq!(client.read("users://7").await.unwrap().text(), "user 7 of 3");
            client.get_prompt("review_users", json!({})).await.unwrap();
            handle.server::<Admin>().unwrap_err();
            assert!(
                handle
                    .replace_prompt(DynamicPrompt::new("review_users", |_, _| async { Ok::<_, ToolError>("another") }))
                    .unwrap()
            );
            assert!(handle.remove_server::<Admin>());
            assert!(!handle.remove_server::<Admin>());
            assert!(client.list_tools().await.unwrap().is_empty());
            assert!(client.list_resource_templates().await.unwrap().is_empty());
            assert_eq!(client.list_prompts().await.unwrap().len(), 1, "the other prompt of that name stays");
        }
    });
}

#[test]
fn a_set_of_components_is_added_completely_or_not_at_all() {
    run(async {
        let app = App::empty("x").state(Admin(3));
        let handle = app.handle();
        handle.add_prompt(DynamicPrompt::new("review_users", |_, _| async { Ok::<_, ToolError>("taken") })).unwrap();
        let client = app.test_client().await.unwrap();
        let error = handle.server::<Admin>().unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        assert!(client.list_tools().await.unwrap().is_empty());
        assert!(client.list_resource_templates().await.unwrap().is_empty());
        let error = {
            let app = App::empty("without state");
            let handle = app.handle();
            let _client = app.test_client().await.unwrap();
            handle.server::<Admin>().unwrap_err()
        };
        assert_eq!(error.problems().len(), 1, "one problem for one missing state: {error}");
        assert!(error.to_string().contains("`review_users` need: add it with `.state(…)`"), "{error}");
    });
}

/// Keeps its context in a task, which logs after the end of the call.
#[mcp::tool]
async fn log_later(ctx: Context, gate: State<tokio::sync::Semaphore>) -> &'static str {
    ctx.info("during the call");
    tokio::spawn(async move {
        gate.acquire().await.unwrap().forget();
        ctx.debug("not wanted");
        ctx.warning(json!({"after": "the call"}));
    });
    "ended"
}

fn messages(notifications: Vec<fastmcp_rs::testing::Notification>) -> Vec<Value> {
    notifications.into_iter().map(|notification| notification.params).collect()
}

#[test]
fn a_session_gets_log_messages_after_the_end_of_their_call() {
    run(async {
        for revision in Revision::ALL.into_iter().filter(|revision| !revision.is_modern()) {
            let app = App::empty("x").tool::<log_later>().state(tokio::sync::Semaphore::new(0)).tool::<open_gate>();
            let client = validated(app.test_client(), revision).await.unwrap();
            client.call("log_later", json!({})).await.unwrap();
            let during = json!({"level": "info", "logger": "log_later", "data": "during the call"});
            assert_eq!(messages(client.notifications()), [during]);
            client.call("open_gate", json!({})).await.unwrap();
            let after = client.next_notification().await;
            assert_eq!(after.method, "notifications/message");
            let expected = json!({"level": "warning", "logger": "log_later", "data": {"after": "the call"}});
            assert_eq!(after.params, expected);
        }
    });
}

/// Lets the task continue.
#[mcp::tool]
async fn open_gate(gate: State<tokio::sync::Semaphore>) {
    gate.add_permits(1);
    tokio::task::yield_now().await;
}

#[test]
fn a_stateless_client_gets_no_log_message_after_the_end_of_its_call() {
    run(async {
        let app = App::empty("x").tool::<log_later>().state(tokio::sync::Semaphore::new(0)).tool::<open_gate>();
        let client = validated(app.test_client().log_level(LoggingLevel::Debug), Revision::NEWEST).await.unwrap();
        client.call("log_later", json!({})).await.unwrap();
        assert_eq!(client.notifications().len(), 1);
        client.call("open_gate", json!({})).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(messages(client.notifications()), Vec::<Value>::new());
    });
}

#[test]
fn a_handle_logs_to_every_session_that_wants_the_level() {
    run(async {
        for revision in Revision::ALL {
            let inner = App::empty("y");
            let (inside, app) = (inner.handle(), App::empty("x").mount("in", inner));
            let handle = app.handle();
            let client = validated(app.test_client(), revision).await.unwrap();
            handle.log(LoggingLevel::Debug, "below the default level");
            handle.log(LoggingLevel::Info, "the import has ended");
            inside.log(LoggingLevel::Error, json!({"failed": 3}));
            client.list_tools().await.unwrap();
            let expected = match revision.is_modern() {
                true => Vec::new(),
                false => vec![
                    json!({"level": "info", "data": "the import has ended"}),
                    json!({"level": "error", "data": {"failed": 3}}),
                ],
            };
            assert_eq!(messages(client.notifications()), expected, "{}", revision.name());
            if !revision.is_modern() {
                client.request("logging/setLevel", json!({"level": "critical"})).await.unwrap();
                handle.log(LoggingLevel::Error, "no longer wanted");
                client.list_tools().await.unwrap();
                assert!(client.notifications().is_empty());
            }
        }
    });
}
