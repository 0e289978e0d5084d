//! Progress and log messages of a running tool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

/// Goes over five numbers.
#[mcp::tool(inline)]
fn go_over(ctx: &Context) -> u64 {
    ctx.track([1, 2, 3, 4, 5]).sum()
}

/// Tracks an iterator of unknown length.
#[mcp::tool(inline)]
fn go_on(ctx: &Context) -> usize {
    ctx.track((1..).take_while(|number| *number < 3)).count()
}

/// Reports numbers and messages of many types.
#[mcp::tool(inline)]
fn report_types(ctx: &Context) -> &'static str {
    let owned = String::from("owned");
    let (done, total): (usize, Option<usize>) = (5, Some(9));
    ctx.progress(1, 10, "indexing");
    ctx.progress(2, None, None);
    ctx.progress(3_u8, 10.5_f32, &owned);
    ctx.progress(4_i64, Some(10), owned);
    ctx.progress(done, total, format!("{done} of {total:?}"));
    ctx.progress(6.5, 10, Some("six"));
    ctx.progress(7_u128, done, std::borrow::Cow::Borrowed("seven"));
    ctx.progress(8, None::<i32>, format_args!("{}", 8));
    "reported"
}

fn frames(tool: &str) -> Vec<Value> {
    super::run(async {
        let mut wire = App::empty("reports")
            .tool::<go_over>()
            .tool::<go_on>()
            .tool::<report_types>()
            .connect()
            .await
            .expect("the app is valid");
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "progressToken": 7
        });
        let params = json!({"name": tool, "arguments": {}, "_meta": meta});
        wire.send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string());
        let mut frames = Vec::new();
        loop {
            let frame: Value = serde_json::from_str(&wire.receive().await).expect("a frame is JSON");
            let is_answer = frame["id"] == 1;
            frames.push(frame);
            if is_answer {
                return frames;
            }
        }
    })
}

#[test]
fn tracked_items_are_reported_and_the_last_one_always() {
    let frames = frames("go_over");
    let (answer, reports) = frames.split_last().expect("there is an answer");
    assert_eq!(answer["result"]["content"][0]["text"], "15");
    let progress: Vec<f64> = reports.iter().filter_map(|frame| frame["params"]["progress"].as_f64()).collect();
    assert!(progress.windows(2).all(|pair| pair[0] < pair[1]), "{progress:?}");
    assert_eq!((progress.first(), progress.last()), (Some(&1.0), Some(&5.0)));
    assert!(reports.iter().all(|frame| frame["params"]["progressToken"] == 7 && frame["params"]["total"] == 5.0));
}

#[test]
fn progress_takes_integers_and_floats_strings_and_nothing_without_annotations() {
    let frames = frames("report_types");
    let (_, reports) = frames.split_last().expect("there is an answer");
    // Reports in quick succession are held back, except for the first and the last one.
    assert_eq!(
        reports[0]["params"],
        json!({"progressToken": 7, "progress": 1.0, "total": 10.0, "message": "indexing"})
    );
    let last = reports.last().expect("there are reports");
    assert_eq!(last["params"], json!({"progressToken": 7, "progress": 8.0, "message": "8"}));
}

#[test]
fn an_unknown_total_is_not_reported() {
    let frames = frames("go_on");
    assert_eq!(frames.last().expect("there is an answer")["result"]["content"][0]["text"], "2");
    assert!(frames.len() > 1 && frames.iter().all(|frame| frame["params"].get("total").is_none()), "{frames:?}");
}

/// Counts on a thread of its own, from before its first `await` until after it.
#[mcp::tool]
async fn count_beside(ctx: Context) -> String {
    let begun = std::sync::Arc::new(std::sync::Barrier::new(2));
    let (other, ready) = (ctx.clone(), begun.clone());
    let thread = std::thread::spawn(move || {
        ready.wait();
        for number in 0..300 {
            other.info(number);
        }
    });
    begun.wait();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    drop(thread.join());
    "counted".into()
}

#[test]
fn reports_of_a_thread_stay_in_order() {
    super::run(async {
        let mut wire = App::empty("reports").tool::<count_beside>().connect().await.expect("the app is valid");
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/logLevel": "info"
        });
        let params = json!({"name": "count_beside", "arguments": {}, "_meta": meta});
        for round in 0..200 {
            wire.send(json!({"jsonrpc": "2.0", "id": round, "method": "tools/call", "params": params}).to_string());
            let mut expected = 0;
            loop {
                let frame: Value = serde_json::from_str(&wire.receive().await).expect("a frame is JSON");
                if frame["id"] == round {
                    break;
                }
                assert_eq!(frame["params"]["data"], expected, "in round {round}");
                expected += 1;
            }
            assert_eq!(expected, 300);
        }
    });
}

/// Works until it is no longer wanted, as a `fn` should that takes long.
#[mcp::tool(timeout = "20ms")]
fn work_on(ctx: &Context, stopped: State<Arc<AtomicBool>>) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while !ctx.is_cancelled() && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    stopped.store(ctx.is_cancelled(), Ordering::Relaxed);
    true
}

#[test]
fn a_blocking_tool_sees_that_its_time_is_over() {
    let stopped = Arc::new(AtomicBool::new(false));
    super::run(async {
        let app = App::empty("works").tool::<work_on>().state(Arc::clone(&stopped));
        let client = app.test_client().await.expect("the app is valid");
        let answer = client.call("work_on", json!({})).await.expect("there is an answer");
        assert!(answer.is_error() && answer.text().contains("timed out"), "{}", answer.text());
        let end = Instant::now() + Duration::from_secs(5);
        while !stopped.load(Ordering::Relaxed) {
            assert!(Instant::now() < end, "it works on");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
}
