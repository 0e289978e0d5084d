use fastmcp_rs::prelude::*;

async fn fetch(id: &str) -> usize {
    id.len()
}

/// Awaits the futures of an iterator, as `stream::iter(calls).buffered(4)` does.
async fn run_all<I>(calls: I) -> usize
where
    I: Iterator,
    I::Item: Future<Output = usize>,
{
    let mut sum = 0;
    for call in calls {
        sum += call.await;
    }
    sum
}

/// Adds the lengths.
#[mcp::tool]
async fn lengths(ids: Vec<String>) -> usize {
    run_all(ids.iter().map(|id| fetch(id))).await
}

fn main() {}
