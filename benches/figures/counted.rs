//! Figures without noise: the instructions, allocations and system calls of a call.
//!
//! callgrind counts in the server that users get. The additional tool `window` resets its counters, so a window
//! contains a known number of calls and neither the start nor the end of the server. Under valgrind a handler may seem
//! slow on a busy machine; its calls then move to another thread, which costs more. So there are several windows, and
//! the smallest cost is the result.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::calls::Call;
use crate::client::{Era, Process, Server, program};
use crate::http::HttpServer;
use crate::report::{Promises, Table};

/// In batches of 64 on standard input.
const CALLS: usize = 1_024;
const HTTP_CALLS: usize = 400;
const WINDOWS: usize = 5;

const OVER_HTTP: [&str; 2] = ["instructions a call", "allocations a call"];

/// A call whose figures are counted on standard input and output, with their limits.
struct Promised {
    call: Call,
    figures: [&'static str; 2],
    /// Beside the floor's.
    instructions: f64,
    allocations: f64,
}

/// Of the allocations one is the handler's future; the others are the author's: a text, and the texts of a copy of an
/// order. The floor has each order ready as the text of an answer, so beside it an order that is copied and serialised
/// costs more.
const ON_STDIO: [Promised; 3] = [
    Promised {
        call: Call::Echo,
        figures: ["`echo`: instructions", "`echo`: allocations"],
        instructions: 1.5,
        allocations: 2.0,
    },
    Promised {
        call: Call::Add,
        figures: ["`add`: instructions", "`add`: allocations"],
        instructions: 1.5,
        allocations: 1.0,
    },
    Promised {
        call: Call::GetOrder,
        figures: ["`get_order`: instructions", "`get_order`: allocations"],
        instructions: 2.0,
        allocations: 5.0,
    },
];

/// The counts of callgrind between two calls of `window`, per call.
#[derive(Clone, Copy)]
struct Counted {
    instructions: f64,
    allocations: f64,
}

pub fn measure(promises: &mut Promises) -> Vec<Table> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("valgrind is not installed: instructions and allocations were not counted");
        return Vec::new();
    }
    let (floor, ours) = ("floor", "fastmcp-rs");
    let mut tables = Vec::new();
    for era in Era::BOTH {
        let mut table = Table::new(format!("Counted, 64 in flight on standard input, {}", era.name()), &[floor, ours]);
        for Promised { call, figures, .. } in ON_STDIO {
            add(&mut table, floor, figures, &on_stdio("floor 4", call, era));
            add(&mut table, ours, figures, &on_stdio("stdio", call, era));
        }
        print!("\n{}", table.markdown());
        for Promised { figures: [counted, allocated], instructions, allocations, .. } in ON_STDIO {
            let what = |figure: &str| format!("{}: {figure}", era.name());
            let ratio = table.ratio(ours, floor, counted);
            promises.at_most(&format!("{} beside the floor", what(counted)), ratio, instructions, 1.05);
            promises.at_most(&what(allocated), table.median(ours, allocated), allocations, 1.05);
        }
        tables.push(table);
    }
    for era in Era::BOTH {
        let mut table = Table::new(format!("Counted, one after another over HTTP, {}", era.name()), &["hyper", ours]);
        add(&mut table, "hyper", OVER_HTTP, &over_http("floor-http worker", era));
        add(&mut table, ours, OVER_HTTP, &over_http("http", era));
        print!("\n{}", table.markdown());
        let what = |figure: &str| format!("{}: {figure} over HTTP", era.name());
        let ratio = table.ratio(ours, "hyper", OVER_HTTP[0]);
        // The count of hyper's server alone was 16,624 to 16,710 in four runs.
        promises.at_most(&what("instructions beside hyper's"), ratio, 1.5, 1.02);
        let more = table.median(ours, OVER_HTTP[1]) - table.median("hyper", OVER_HTTP[1]);
        promises.at_most(&what("allocations beyond hyper's"), more, 4.0, 1.0);
        tables.push(table);
    }
    tables
}

fn add(table: &mut Table, server: &str, [instructions, allocations]: [&'static str; 2], windows: &[Counted]) {
    let least = |of: fn(&Counted) -> f64| windows.iter().map(of).fold(f64::INFINITY, f64::min);
    table.add(server, instructions, least(|counted| counted.instructions));
    table.add_plain(server, allocations, least(|counted| counted.allocations));
}

/// A folder for what callgrind writes, which goes with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("figures-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("there is room for temporary files");
        Folder(path)
    }

    /// A server under callgrind.
    fn callgrind(&self, server: &str) -> Command {
        let (program, arguments) = program(server);
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--dump-before=*figures_window*"]);
        command.arg(format!("--callgrind-out-file={}", self.0.join("out").display()));
        command.arg(program).args(arguments);
        command
    }

    /// The windows of so many calls, without what came before the first.
    fn windows(&self, calls: usize) -> Vec<Counted> {
        (2..WINDOWS + 2).map(|number| read(&self.0.join(format!("out.{number}")), calls)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes the request that begins a window: a call of the tool, or a method of the floor, which has no tools by name.
fn window(program: &str, era: Era, id: usize) -> String {
    match program.contains("floor") {
        true => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"window"}}"#),
        false => era.call(id, "window", "{}"),
    }
}

fn on_stdio(program: &str, call: Call, era: Era) -> Vec<Counted> {
    let folder = Folder::new();
    let mut server = Server::without_handshake(Process::run(&mut folder.callgrind(program), true), era);
    server.greet();
    server.in_flight(call, 2 * CALLS, 64);
    for _ in 0..=WINDOWS {
        let id = server.id();
        server.ask(&window(program, era, id));
        server.in_flight(call, CALLS, 64);
    }
    server.end();
    folder.windows(CALLS)
}

fn over_http(program: &str, era: Era) -> Vec<Counted> {
    let folder = Folder::new();
    let mut server = HttpServer::run(program, |program| folder.callgrind(program));
    let mut connections = vec![server.connect(era)];
    server.calls_over(&mut connections, 2 * HTTP_CALLS);
    for _ in 0..=WINDOWS {
        let id = server.id();
        assert_eq!(connections[0].ask(&window(program, era, id), Some("window")).status, 200);
        server.calls_over(&mut connections, HTTP_CALLS);
    }
    folder.windows(HTTP_CALLS)
}

/// Reads the sum of a profile, and how often memory was asked for.
fn read(path: &Path, calls: usize) -> Counted {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("callgrind wrote no {}: {error}", path.display()));
    let mut names: HashMap<&str, &str> = HashMap::new();
    let (mut called, mut instructions, mut allocations) = ("", 0.0, 0.0);
    for line in text.lines() {
        if let Some(total) = line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")) {
            instructions = total.trim().parse().expect("a number of instructions");
        } else if let Some(name) = line.strip_prefix("cfn=").or(line.strip_prefix("fn=")) {
            // A name is written once; afterwards its number stands for it.
            let (number, name) = name.split_once(' ').unwrap_or((name, ""));
            if !name.is_empty() {
                names.insert(number, name);
            }
            called = names.get(number).copied().unwrap_or_default();
        } else if let Some(count) = line.strip_prefix("calls=")
            && matches!(called, "malloc" | "calloc" | "realloc" | "posix_memalign" | "aligned_alloc")
        {
            let count = count.split(' ').next().and_then(|count| count.parse::<f64>().ok());
            allocations += count.expect("a number of calls");
        }
    }
    assert!(instructions > 0.0, "callgrind counted nothing");
    Counted { instructions: instructions / calls as f64, allocations: allocations / calls as f64 }
}
