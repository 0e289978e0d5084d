//! Figures without noise: what a call costs in instructions, allocations and system calls.
//!
//! Instructions and allocations are counted by valgrind, if it is there, as the difference of two runs of the very
//! server that users get; the requests come from a file. What starts a server, and what ends it, so falls out.
//! They are printed and not held to a limit: under valgrind on a busy machine a handler may seem slow, and its calls
//! are then moved to another thread, as they should be, which costs more.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::client::{META, Server};

const FEW: usize = 5_000;
const MANY: usize = 15_000;

pub fn measure() -> ExitCode {
    let mut held = true;
    let mut gate = |what: &str, figure: f64, limit: f64| {
        let verdict = if figure <= limit { "holds" } else { "DOES NOT HOLD" };
        println!("{what}: {figure:.2}, at most {limit} promised: {verdict}");
        held &= figure <= limit;
    };
    let mut server = Server::start("fastmcp");
    server.cpu_until_discovered();
    let before = server.reads_and_writes();
    server.median_call(1_000);
    gate("reads and writes of a call in sequence", (server.reads_and_writes() - before) / 1_000.0, 2.01);
    drop(server);

    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("valgrind is not installed: instructions and allocations were not counted");
        return if held { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    for era in ["2025-11-25", "2026-07-28"] {
        let floor = per_call("floor", era, instructions);
        let ours = per_call("fastmcp", era, instructions);
        println!("{era}: {ours:.0} instructions a call, {:.2} times the floor's {floor:.0}", ours / floor);
        println!("{era}: {:.2} allocations a call", per_call("fastmcp", era, allocations));
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a server's call costs, as the difference between many and few.
fn per_call(role: &str, era: &str, count: fn(&str, &Path) -> u64) -> f64 {
    let of = |calls: usize| {
        let path = std::env::temp_dir().join(format!("figures-{}-{calls}.jsonl", std::process::id()));
        fs::write(&path, requests(era, calls)).expect("there is room for temporary files");
        // On a busy machine a handler may seem slow, and be moved to another thread: the least is what it costs.
        let least = (0..3).map(|_| count(role, &path)).min().unwrap_or_default();
        let _ = fs::remove_file(path);
        least as f64
    };
    (of(MANY) - of(FEW)) / (MANY - FEW) as f64
}

fn requests(era: &str, calls: usize) -> String {
    let mut out = String::new();
    let mut meta = format!(",{META}");
    if era != "2026-07-28" {
        meta.clear();
        let _ = writeln!(
            out,
            r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{era}","capabilities":{{}},"clientInfo":{{"name":"figures","version":"1"}}}}}}"#
        );
    }
    for number in 1..=calls {
        let _ = writeln!(
            out,
            r#"{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"hello {number}"}}{meta}}}}}"#
        );
    }
    out
}

fn instructions(role: &str, requests: &Path) -> u64 {
    number_after(&valgrind(&["--tool=callgrind", "--callgrind-out-file=/dev/null"], role, requests), "Collected :")
}

fn allocations(role: &str, requests: &Path) -> u64 {
    number_after(&valgrind(&["--leak-check=no"], role, requests), "total heap usage:")
}

/// What valgrind says of a server that answers the requests of a file.
fn valgrind(options: &[&str], role: &str, requests: &Path) -> String {
    let program = std::env::current_exe().expect("a program knows where it is");
    let output = Command::new("valgrind")
        .args(options)
        .arg(program)
        .arg(role)
        .stdin(File::open(requests).expect("it was written"))
        .stdout(Stdio::null())
        .output()
        .expect("valgrind starts");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn number_after(text: &str, label: &str) -> u64 {
    let after = text.split_once(label).unwrap_or_else(|| panic!("valgrind says nothing of `{label}`: {text}")).1;
    let digits: String =
        after.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().expect("a number")
}
