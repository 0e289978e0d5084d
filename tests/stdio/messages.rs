//! Messages and signals that tests of processes send.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Revision, Server};

pub const MIB: usize = 1 << 20;

pub fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> String {
    Revision::NEWEST.request(id, "tools/call", json!({"name": tool, "arguments": arguments}))
}

/// A call that ends with its newline.
pub fn call_line(id: impl Into<Value>, tool: &str, arguments: Value) -> String {
    call(id, tool, arguments) + "\n"
}

pub fn echo(id: impl Into<Value>, text: &str) -> String {
    call(id, "echo", json!({"text": text}))
}

pub fn legacy_call(id: i64, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

/// The notification, with its newline, that cancels a call.
pub fn cancelled(id: i64) -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}).to_string() + "\n"
}

pub fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid() as i32).expect("a process id");
    kill_process(pid, signal).expect("the server is there");
}
