//! Handles that outlive their apps, and handles that destructors of components use.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fastmcp_rs::prelude::*;
use serde_json::json;

use super::run;

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
