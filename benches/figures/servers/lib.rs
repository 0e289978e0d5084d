//! The measured servers: fastmcp-rs as its users have it, the official SDK, and floors without a framework.
//!
//! Each is a separate program (`bin`). The tools and settings are those of an ordinary program, except for the limits
//! of a line and a body, which allow texts of 16 MiB.

pub mod floor;
pub mod official;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use fastmcp_rs::prelude::*;

/// The limit of a line and a body, above the longest measured text of 16 MiB.
const LONGEST: usize = 32 << 20;

/// Returns the argument of a server: a port, or the number of its tools.
fn number_argument() -> usize {
    std::env::args().skip(1).find_map(|argument| argument.parse().ok()).expect("a number")
}

/// Returns true if the arguments of a server name this variant.
fn is_of_kind(kind: &str) -> bool {
    std::env::args().skip(1).any(|argument| argument == kind)
}

fn port() -> u16 {
    u16::try_from(number_argument()).expect("a port")
}

/// Returns the text unchanged.
#[mcp::tool]
async fn echo(text: String) -> String {
    text
}

/// A sum.
#[mcp::model]
struct Sum {
    result: i64,
}

/// Adds two integers.
#[mcp::tool]
async fn add(a: i64, b: i64) -> Sum {
    Sum { result: a + b }
}

/// An order.
#[mcp::model]
#[derive(Clone)]
struct Order {
    order_id: String,
    customer: String,
    status: String,
    quantity: u32,
    total: f64,
}

/// A thousand orders, which every server has. They are created on first use, so start-up does not count them.
#[derive(Default)]
struct Orders(OnceLock<HashMap<String, Order>>);

impl Orders {
    fn find(&self, order_id: &str) -> Option<&Order> {
        self.0.get_or_init(|| (0..1_000).map(Order::number).collect()).get(order_id)
    }
}

impl Order {
    fn number(number: u32) -> (String, Order) {
        let order = Order {
            order_id: format!("A-{number}"),
            customer: format!("Customer {number}"),
            status: "shipped".to_owned(),
            quantity: number,
            total: f64::from(number) * 1.5,
        };
        (order.order_id.clone(), order)
    }
}

/// Finds an order.
#[mcp::tool]
async fn get_order(order_id: &str, orders: State<Orders>) -> Result<Order, ToolError> {
    orders.find(order_id).cloned().ok_or_else(|| ToolError::new(format!("there is no order {order_id}")))
}

/// Returns the text unchanged, from a thread for what blocks.
#[mcp::tool]
fn echo_blocking(text: String) -> String {
    text
}

/// Waits so long.
#[mcp::tool]
async fn sleep_ms(ms: u64) -> String {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    "slept".into()
}

/// Holds a thread up for so long.
#[mcp::tool]
fn block_ms(ms: u64) -> String {
    thread::sleep(Duration::from_millis(ms));
    "blocked".into()
}

/// Tells how far it is before it answers.
#[mcp::tool]
async fn count(to: u32, context: Context) -> String {
    for number in 1..=to {
        context.progress(f64::from(number), f64::from(to), "");
    }
    format!("counted to {to}")
}

/// Fails in the worst way.
#[mcp::tool]
async fn panics() -> String {
    panic!("on purpose")
}

/// Prints where frames go.
#[mcp::tool]
async fn prints() -> String {
    println!("this is not a frame");
    "printed".into()
}

/// Marks the point at which callgrind begins a new count; see `counted.rs`.
#[inline(never)]
fn figures_window() {
    std::hint::black_box(());
}

/// Does nothing, but callgrind sees it.
#[mcp::tool]
async fn window() -> String {
    figures_window();
    String::new()
}

fn app() -> App {
    App::empty("figures")
        .state(Orders::default())
        .tool::<echo>()
        .tool::<add>()
        .tool::<get_order>()
        .tool::<echo_blocking>()
        .tool::<sleep_ms>()
        .tool::<block_ms>()
        .tool::<count>()
        .tool::<panics>()
        .tool::<prints>()
        .tool::<window>()
}

#[mcp::main]
pub async fn stdio() {
    app().max_line(LONGEST).run_stdio().await.expect("the server runs");
}

#[mcp::main]
pub async fn http() {
    let config = HttpConfig::new().max_body(LONGEST);
    app().http(config).run_http(("127.0.0.1", port())).await.expect("the server runs");
}

/// Serves a given number of tools, each with an argument and a description.
#[mcp::main]
pub async fn with_tools() {
    let count = number_argument();
    let mut app = App::empty("figures").tool::<echo>();
    for number in 1..count {
        let schema = serde_json::json!({
            "type": "object",
            "properties": { "order_id": { "type": "string", "description": "The order, such as A-1001" } },
            "required": ["order_id"],
        });
        let answer = |_, _| async { Ok::<_, ToolError>(ToolResult::text("done")) };
        let tool = DynamicTool::new(format!("tool_{number}"), schema, answer).description("Does one thing to an order");
        app = app.add_tool(tool);
    }
    app.run_stdio().await.expect("the server runs");
}
