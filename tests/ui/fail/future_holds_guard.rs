use fastmcp_rs::prelude::*;

use std::sync::Mutex;

static TOTAL: Mutex<i64> = Mutex::new(0);

async fn pause() {}

/// Adds to the total.
#[mcp::tool]
async fn add(value: i64) -> i64 {
    let mut total = TOTAL.lock().unwrap();
    *total += value;
    pause().await;
    *total
}

fn main() {}
