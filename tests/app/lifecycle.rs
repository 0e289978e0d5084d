//! Start and shutdown of an app: states, shutdown functions, and their order.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastmcp_rs::prelude::*;
use serde_json::json;

use super::run;

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Settings {
    url: &'static str,
}

#[derive(Debug, PartialEq)]
struct Pool(String);

struct Cache(usize);

/// Uses what was made.
#[mcp::tool]
async fn use_it(pool: State<Pool>, cache: State<Cache>) -> String {
    format!("{} {}", pool.0, cache.0)
}

async fn open(settings: State<Settings>, diary: State<Diary>) -> Result<Pool, std::io::Error> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    diary.write("open");
    Ok(Pool(format!("pool of {}", settings.url)))
}

fn app(diary: &Diary) -> App {
    App::empty("x")
        .state(diary.clone())
        .state(Settings { url: "db" })
        .state_with(open)
        .state_with(|pool: State<Pool>, diary: State<Diary>| async move {
            diary.write("cache");
            Ok::<_, ToolErrorLike>(Cache(pool.0.len()))
        })
        .tool::<use_it>()
        .on_shutdown(|diary: State<Diary>| async move { diary.write("last") })
        .on_shutdown(|pool: State<Pool>, diary: State<Diary>| async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            diary.write(format!("close {}", pool.0));
        })
}

#[derive(Debug)]
struct ToolErrorLike;

impl std::fmt::Display for ToolErrorLike {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the disk is full")
    }
}

impl std::error::Error for ToolErrorLike {}

#[test]
fn states_are_created_in_order_and_ended_in_reverse() {
    run(async {
        let diary = Diary::default();
        app(&diary).check().unwrap();
        assert!(diary.read().is_empty(), "`check` runs nothing");
        let client = app(&diary).test_client().await.unwrap();
        assert_eq!(diary.read(), ["open", "cache"]);
        assert_eq!(client.call("use_it", json!({})).await.unwrap().text(), "pool of db 10");
        client.close().await;
        assert_eq!(diary.read(), ["open", "cache", "close pool of db", "last"]);
    });
}

#[test]
fn dropping_the_client_ends_the_app() {
    run(async {
        let diary = Diary::default();
        drop(app(&diary).test_client().await.unwrap());
        let start = Instant::now();
        while diary.read().len() < 4 && start.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(diary.read(), ["open", "cache", "close pool of db", "last"]);
        let diary = Diary::default();
        app(&diary).connect().await.unwrap().close().await;
        assert_eq!(diary.read().len(), 4, "once");
    });
}

#[test]
fn a_panic_of_a_state_function_is_an_error() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a destructor panics");
        }
    }
    fn fail() -> Result<u32, ToolErrorLike> {
        panic!("no database")
    }
    let at_once = || App::empty("x").state_with(|| async { fail() });
    let later = || {
        App::empty("x").state_with(|| async {
            tokio::task::yield_now().await;
            fail()
        })
    };
    let with_bomb = || {
        App::empty("x").state_with(|| {
            let bomb = Bomb;
            async move {
                let _bomb = &bomb;
                Err::<u32, ToolErrorLike>(ToolErrorLike)
            }
        })
    };
    run(async {
        for app in [at_once(), later(), App::empty("y").mount("x", at_once())] {
            let error = app.test_client().await.unwrap_err().to_string();
            assert!(error.starts_with("cannot create the state `u32`: the factory panicked: no database"), "{error}");
        }
        let error = with_bomb().test_client().await.unwrap_err();
        assert!(error.to_string().contains("the factory panicked: a destructor panics"), "{error}");
        for app in [at_once(), later(), App::empty("y").mount("x", at_once())] {
            let error = app.into_service().await.unwrap_err().to_string();
            assert!(error.contains("`u32`: the factory panicked: no database, at tests/app"), "{error}");
        }
    });
}

#[test]
fn a_state_that_fails_is_reported_and_stops_the_start() {
    run(async {
        let diary = Diary::default();
        let app = app(&diary).state_with(|| async { Err::<u32, _>(ToolErrorLike) });
        let error = app.test_client().await.unwrap_err();
        assert_eq!(error.to_string(), "cannot create the state `u32`: the disk is full");
        assert!(!error.is_configuration() && std::error::Error::source(&error).is_some());
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(diary.read(), ["open", "cache"], "an app that did not start does not end");
    });
}

#[test]
fn missing_states_are_reported_before_any_function_runs() {
    let made = |app: App| app.state_with(|| async { Ok::<_, ToolErrorLike>(Cache(1)) });
    let text = made(made(App::empty("x"))).check().unwrap_err().to_string();
    assert!(text.contains("two states of type") && text.contains("Cache"), "{text}");
    let text = made(App::empty("x").state(Cache(1))).check().unwrap_err().to_string();
    assert!(text.contains("two states of type"), "{text}");
    let late = App::empty("x").state_with(open).state_with(|| async { Ok::<_, ToolErrorLike>(Settings { url: "" }) });
    let text = late.check().unwrap_err().to_string();
    assert!(
        text.contains("Pool`: it needs a state of type") && text.contains("Settings`: add it with `.state(…)`"),
        "{text}"
    );
    let text = App::empty("x").on_shutdown(|_: State<Pool>| async {}).check().unwrap_err().to_string();
    assert!(text.contains("`App::on_shutdown`: it needs a state of type") && text.contains("Pool"), "{text}");
    run(async {
        // The same when it runs.
        assert!(App::empty("x").tool::<use_it>().test_client().await.unwrap_err().is_configuration());
    });
}

#[test]
fn a_mounted_app_runs_its_own_start_and_shutdown_functions() {
    run(async {
        let diary = Diary::default();
        let outer = Diary::default();
        let outer_app = App::empty("y")
            .state(outer.clone())
            .state_with(|diary: State<Diary>| async move {
                diary.write("start");
                Ok::<_, ToolErrorLike>(Cache(0))
            })
            .on_shutdown(|diary: State<Diary>| async move { diary.write("end") })
            .mount("in", app(&diary));
        let client = outer_app.test_client().await.unwrap();
        assert_eq!(outer.read(), ["start"]);
        assert_eq!(client.call("in_use_it", json!({})).await.unwrap().text(), "pool of db 10");
        client.close().await;
        assert_eq!(diary.read().len(), 4);
        assert_eq!(outer.read(), ["start", "end"]);
    });
}

#[test]
fn the_last_call_ends_before_the_app_does() {
    struct Note(Diary);
    impl Drop for Note {
        fn drop(&mut self) {
            std::thread::sleep(Duration::from_millis(50));
            self.0.write("call");
        }
    }
    run(async {
        let diary = Diary::default();
        let (inside, at_end) = (diary.clone(), diary.clone());
        let slow = DynamicTool::new("slow", json!({"type": "object"}), move |_, _| {
            let note = Note(inside.clone());
            async move {
                std::future::pending::<()>().await;
                drop(note);
                Ok::<_, ToolError>(())
            }
        });
        let app = App::empty("x").add_tool(slow).on_shutdown(move || async move { at_end.write("end") });
        let client = app.test_client().await.unwrap();
        let call = tokio::spawn(client.call("slow", json!({})).into_future());
        tokio::time::sleep(Duration::from_millis(20)).await;
        client.close().await;
        assert_eq!(diary.read(), ["call", "end"]);
        call.abort();
    });
}

#[test]
fn a_shutdown_function_that_hangs_or_panics_does_not_prevent_the_end() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let diary = Diary::default();
        let app = App::empty("x")
            .add_tool(DynamicTool::new("t", json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("x") }))
            .state(diary.clone())
            .on_shutdown(std::future::pending::<()>)
            .on_shutdown(|diary: State<Diary>| async move { diary.write("other") })
            .on_shutdown(|| async { panic!("on purpose") })
            .on_shutdown(|| -> std::future::Ready<()> { panic!("on purpose") });
        let client = app.test_client().await.unwrap();
        let start = tokio::time::Instant::now();
        client.close().await;
        assert_eq!(diary.read(), ["other"]);
        assert_eq!(start.elapsed().as_secs(), 10);
    });
}

#[test]
fn states_are_dropped_before_close_returns_in_reverse_order() {
    struct Noted<const NUMBER: u32>(Diary);
    impl<const NUMBER: u32> Drop for Noted<NUMBER> {
        fn drop(&mut self) {
            self.0.write(format!("{NUMBER}"));
            if NUMBER == 2 {
                // Others are dropped all the same.
                panic!("a destructor panics");
            }
        }
    }
    struct Kept(tokio::runtime::Runtime, Diary);
    impl Drop for Kept {
        fn drop(&mut self) {
            let handle = tokio::runtime::Handle::current();
            handle.block_on(tokio::time::sleep(Duration::from_millis(5)));
            self.0.block_on(async { self.1.write("kept") });
        }
    }
    let app = |diary: &Diary| {
        let [made, inner] = [diary, diary].map(|diary| Noted::<2>(diary.clone()));
        App::empty("x")
            .state(Noted::<1>(diary.clone()))
            .state_with(|| async { Ok::<_, ToolErrorLike>(made) })
            .state(Kept(tokio::runtime::Builder::new_current_thread().build().unwrap(), diary.clone()))
            .mount("in", App::empty("y").state_with(|| async { Ok::<_, ToolErrorLike>(inner) }))
    };
    let expected = ["2", "2", "kept", "1"];
    let closing = |diary: Diary, start: Instant| async move {
        app(&diary).test_client().await.unwrap().close().await;
        assert_eq!(diary.read(), expected);
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    };
    run(closing(Diary::default(), Instant::now()));
    let paused = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    paused.block_on(closing(Diary::default(), Instant::now()));
    // An app that is not served drops them in the same order, and a service when it is asked to end.
    run(async {
        let diary = Diary::default();
        let service = app(&diary).into_service().await.unwrap();
        service.end().await;
        assert_eq!(diary.read(), expected);
    });
    let diary = Diary::default();
    drop(App::empty("x").state(Noted::<1>(diary.clone())).state(Noted::<3>(diary.clone())));
    assert_eq!(diary.read(), ["3", "1"]);
}

#[test]
fn a_state_is_gone_for_a_task_that_outlives_its_server() {
    static KEPT: Mutex<Option<Context>> = Mutex::new(None);
    let keep = DynamicTool::new("keep", json!({"type": "object"}), |_, context| async {
        let had = context.state::<Settings>().is_some();
        *KEPT.lock().unwrap() = Some(context);
        Ok::<_, ToolError>(had)
    });
    run(async {
        let client = App::empty("x").add_tool(keep).state(Settings { url: "" }).test_client().await.unwrap();
        assert_eq!(client.call("keep", json!({})).await.unwrap().text(), "true");
        client.close().await;
        let context = KEPT.lock().unwrap().take().expect("it was kept");
        assert!(context.state::<Settings>().is_none());
        // It goes nowhere.
        context.notify_resource_updated("x://y");
    });
}

#[test]
fn a_runtime_without_timers_is_an_error() {
    let app = || App::empty("x").state(1_u8);
    let bare = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    for error in [
        bare().block_on(app().test_client().into_future()).unwrap_err(),
        bare().block_on(app().into_service()).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.starts_with("the tokio runtime has no timers, ") && error.contains("`enable_all()`"), "{error}");
    }
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    let without = std::pin::pin!(app().into_service()).as_mut().poll(&mut task);
    let std::task::Poll::Ready(Err(error)) = without else { panic!("it is ready at once") };
    assert!(error.to_string().starts_with("there is no tokio runtime: put"), "{error}");
}

#[test]
fn a_state_that_holds_a_handle_is_dropped() {
    struct Keeper(fastmcp_rs::AppHandle, Diary);
    impl Drop for Keeper {
        fn drop(&mut self) {
            assert!(!self.0.remove_tool("t"), "a handle of what is over does nothing");
            self.1.write("dropped");
        }
    }
    run(async {
        let diary = Diary::default();
        let tool = DynamicTool::new("t", json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("x") });
        let app = App::empty("x").add_tool(tool);
        let handle = app.handle();
        let client = app.state(Keeper(handle, diary.clone())).test_client().await.unwrap();
        assert_eq!(client.call("t", json!({})).await.unwrap().text(), "x");
        client.close().await;
        let start = Instant::now();
        while diary.read().is_empty() && start.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(diary.read(), ["dropped"]);
    });
}
