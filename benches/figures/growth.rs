//! Measures how costs grow with the number of tools, the length of messages and the number of connections, and writes
//! a table and a plot to `docs/`.
//!
//! No cost may grow faster than linearly: ten times the size may cost at most ten times as much, plus an allowance for
//! noise.

use std::fmt::Write as _;
use std::fs;

use crate::calls::Call;
use crate::client::{Cores, Era, Server};
use crate::http::{Connection, HttpServer};
use crate::plot::{Curve, Plot, document};
use crate::report::{Promises, machine, median, number};

const TOOLS: [usize; 4] = [10, 100, 1_000, 10_000];
const BYTES: [usize; 5] = [1 << 10, 16 << 10, 256 << 10, 1 << 20, 16 << 20];
const CONNECTIONS: [usize; 4] = [1, 10, 100, 1_000];
const ROUNDS: usize = 3;
/// The factor that noise may add to a step.
const SLACK: f64 = 1.35;

pub fn measure(cores: &Cores, promises: &mut Promises) {
    cores.pin();
    let rounds = |measure: &dyn Fn() -> f64| median(&(0..ROUNDS).map(|_| measure()).collect::<Vec<_>>());
    let (mut starts, mut lists, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for tools in TOOLS {
        let program = format!("tools {tools}");
        starts.push(rounds(&|| Server::startup_cpu(&program) * 1_000.0));
        lists.push(rounds(&|| {
            let mut server = Server::start(&program, Era::Modern);
            // The first request creates the pages.
            assert_eq!(server.list().1, tools, "the list is not whole");
            median(&(0..20).map(|_| server.list().0).collect::<Vec<_>>())
        }));
        calls.push(rounds(&|| {
            let mut server = Server::start(&program, Era::Modern);
            // Start-up must not count towards a call.
            server.sequence(100);
            server.in_flight(Call::Echo, 20_000, 64).cpu
        }));
    }
    let (mut floor, mut ours, mut official) = (Vec::new(), Vec::new(), Vec::new());
    for bytes in BYTES {
        let times = ((64 << 20) / bytes).clamp(4, 2_000);
        let of = |program: &str| rounds(&|| Server::start(program, Era::Modern).long_text(bytes, times).0);
        floor.push(of("floor 4"));
        ours.push(of("stdio"));
        // rmcp does not answer the longest text.
        if bytes <= 1 << 20 {
            official.push(of("rmcp pipes 4"));
        }
    }
    let (mut cpu, mut memory) = (Vec::new(), Vec::new());
    for connections in CONNECTIONS {
        let mut kib = Vec::new();
        cpu.push(rounds(&|| {
            let mut server = HttpServer::start("http");
            let mut open: Vec<Connection> = (0..connections).map(|_| server.connect(Era::Legacy)).collect();
            server.calls_over(&mut open, connections);
            server.calls_over(&mut open, 10_000).cpu
        }));
        for _ in 0..ROUNDS {
            kib.push(HttpServer::start("http").memory_of_connections(Era::Legacy, connections));
        }
        // The total, because a single connection sometimes takes less than a page of memory.
        memory.push(median(&kib).max(0.1) * connections as f64);
    }
    cores.unpin();

    let mut page = format!(
        "# Scaling\n\nCosts as the number of tools, the length of texts or the number of connections grows. Written by\n\n```sh\ncargo bench -p figures -- growth\n```\n\n\
         on {}. Client and server share one core; figures are the median of {ROUNDS} rounds. All costs grow at most \
         linearly, except for the longest text, which exceeds the CPU caches: its step may be at most 1.5 times the \
         floor's step. The program fails otherwise.\n\n![Scaling](growth.svg)\n\n## Tools\n\n\
         The client reads the whole list, in pages of 1,000. Start-up is the CPU time to the first response. These tools \
         are dynamic, so they cost more at start-up than generated ones. The time to find a tool does not depend on the \
         number of tools.\n\n| tools | start-up, CPU µs | `tools/list`, µs | a call, CPU µs |\n|---:|---:|---:|---:|\n",
        machine()
    );
    for (at, tools) in TOOLS.iter().enumerate() {
        let _ =
            writeln!(page, "| {} | {} | {} | {} |", tools, number(starts[at]), number(lists[at]), number(calls[at]));
    }
    page.push_str(
        "\n## Text length\n\nThe client sends the text and receives it back, on standard input and output; the line limit \
         was set to 32 MiB. The floor copies the text as it arrives, and neither decodes nor encodes escapes. A text of \
         16 MiB exceeds the CPU caches, and its memory is requested from the kernel anew for each call, so this step is \
         more than linear for the floor as well.\n\n| KiB | floor, CPU µs | fastmcp-rs, CPU µs | rmcp, `stdio_pipes()`, CPU µs |\n|---:|---:|---:|---:|\n",
    );
    for (at, bytes) in BYTES.iter().enumerate() {
        let official = official.get(at).map_or("no answer".to_owned(), |cpu| number(*cpu));
        let _ = writeln!(page, "| {} | {} | {} | {official} |", bytes >> 10, number(floor[at]), number(ours[at]));
    }
    page.push_str(
        "\n## HTTP connections\n\nEach connection has a session of 2025-11-25 and one call in flight. Memory is the total \
         of all connections, compared with a server that has one.\n\n| connections | a call, CPU µs | memory, KiB |\n|---:|---:|---:|\n",
    );
    for (at, connections) in CONNECTIONS.iter().enumerate() {
        let _ = writeln!(page, "| {connections} | {} | {} |", number(cpu[at]), number(memory[at]));
    }
    print!("{page}");

    let curve = |name: &'static str, across: &[usize], values: &[f64]| Curve {
        name,
        points: across.iter().map(|across| *across as f64).zip(values.iter().copied()).collect(),
    };
    let plots = [
        Plot {
            title: "Tools",
            across: "registered tools",
            up: "µs",
            curves: vec![
                curve("start-up", &TOOLS, &starts),
                curve("tools/list", &TOOLS, &lists),
                curve("a call", &TOOLS, &calls),
            ],
        },
        Plot {
            title: "Length of a text",
            across: "bytes, there and back",
            up: "CPU µs",
            curves: vec![
                curve("floor", &BYTES, &floor),
                curve("fastmcp-rs", &BYTES, &ours),
                curve("rmcp", &BYTES, &official),
            ],
        },
        Plot {
            title: "HTTP connections",
            across: "connections with sessions",
            up: "CPU µs of a call; KiB",
            curves: vec![curve("a call", &CONNECTIONS, &cpu), curve("memory", &CONNECTIONS, &memory)],
        },
    ];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    fs::write(format!("{folder}/growth.md"), page).expect("docs/ can be written");
    fs::write(format!("{folder}/growth.svg"), document(&plots)).expect("docs/ can be written");

    let mut linear = |what: &str, across: &[usize], values: &[f64]| {
        let steps = across.windows(2).zip(values.windows(2));
        let worst = steps.map(|(across, value)| {
            let (more, cost) = (across[1] as f64 / across[0] as f64, value[1] / value[0]);
            cost / more
        });
        promises.at_most(&format!("{what}, the worst step beside linear"), worst.fold(0.0, f64::max), 1.0, SLACK);
    };
    linear("start-up with more tools", &TOOLS, &starts);
    linear("`tools/list` with more tools", &TOOLS, &lists);
    linear("a call with more tools", &TOOLS, &calls);
    let within = BYTES.len() - 1;
    linear("a longer text up to 1 MiB", &BYTES[..within], &ours[..within]);
    linear("a call with more connections", &CONNECTIONS, &cpu);
    // The memory of one connection is too small to measure.
    linear("memory with more connections", &CONNECTIONS[1..], &memory[1..]);
    let last = |values: &[f64]| values[within] / values[within - 1];
    let step = last(&ours) / last(&floor);
    promises.at_most("from 1 MiB to 16 MiB, beside the same step of the floor", step, 1.5, SLACK);
}
