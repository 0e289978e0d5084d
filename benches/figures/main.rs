//! What this costs: start-up, a call in sequence, idle memory, each beside a reference in the same run.
//!
//! ```sh
//! cargo bench --bench figures
//! ```
//!
//! The program is its own servers: a hand-written floor without a framework, fastmcp-rs, and rmcp, the
//! official SDK. All of them run pinned to one core with the client, since a hop between two sleeping
//! cores costs more than everything that is measured here. Rounds are interleaved, so that what else the
//! machine does falls on all alike; ratios are what counts.
//!
//! `cargo bench --bench figures -- counted` prints what can be counted instead of timed: instructions,
//! allocations and system calls. `-- growth` writes how figures grow with the number of tools and the size of
//! messages, as a table and a plot, into `docs/`.
//!
//! It exits with an error when a figure that is promised does not hold.

mod client;
mod counted;
mod growth;
mod servers;

use std::process::ExitCode;

use client::Server;

const ROUNDS: usize = 7;
/// A start takes a millisecond, of which a page fault more or less is a part that shows.
const STARTS: usize = 8;

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`; the roles are given by this program to itself.
    match std::env::args().nth(1).as_deref() {
        Some("floor") => servers::floor(),
        Some("fastmcp") => servers::fastmcp(),
        Some("rmcp") => servers::rmcp(false),
        Some("rmcp-pipes") => servers::rmcp(true),
        Some("fastmcp-tools") => {
            let count = std::env::args().nth(2).and_then(|count| count.parse().ok());
            servers::fastmcp_with_tools(count.expect("a number of tools"));
        }
        Some("counted") => return counted::measure(),
        Some("growth") => growth::measure(),
        _ => return measure(),
    }
    ExitCode::SUCCESS
}

fn measure() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("figures of a debug build mean nothing: use `cargo bench`");
        return ExitCode::FAILURE;
    }
    client::pin_to_one_core();
    let names = ["floor", "fastmcp", "rmcp-pipes", "rmcp"];
    let mut startup = [const { Vec::new() }; 4];
    let mut sequential = [const { Vec::new() }; 4];
    let mut memory = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        for (at, name) in names.iter().enumerate() {
            let starts: Vec<f64> = (0..STARTS).map(|_| Server::start(name).cpu_until_discovered()).collect();
            startup[at].push(median(&starts));
            let mut server = Server::start(name);
            server.cpu_until_discovered();
            memory[at].push(server.resident_mib());
            sequential[at].push(server.median_call(20_000));
        }
    }
    println!("| server | start-up CPU, ms | a call in sequence, p50 µs | idle memory, MiB |");
    println!("|---|---|---|---|");
    for (at, name) in names.iter().enumerate() {
        println!(
            "| {name} | {:.2} (x{:.2}) | {:.2} (x{:.2}) | {:.2} |",
            median(&startup[at]),
            ratio(&startup[at], &startup[0]),
            median(&sequential[at]),
            ratio(&sequential[at], &sequential[0]),
            median(&memory[at]),
        );
    }
    // Two starts of one program differ by a few per cent, so that much is allowed.
    let gates = [
        ("start-up CPU beside rmcp", ratio(&startup[1], &startup[3]), 1.0, 1.05),
        ("a call in sequence beside the floor", ratio(&sequential[1], &sequential[0]), 1.7, 1.0),
        ("idle memory in MiB", median(&memory[1]), 5.0, 1.0),
    ];
    let mut held = true;
    for (what, figure, limit, noise) in gates {
        let verdict = if figure <= limit * noise { "holds" } else { "DOES NOT HOLD" };
        println!("{what}: {figure:.2}, at most {limit} promised: {verdict}");
        held &= figure <= limit * noise;
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The median of the ratios within each round.
fn ratio(figures: &[f64], reference: &[f64]) -> f64 {
    median(&figures.iter().zip(reference).map(|(figure, reference)| figure / reference).collect::<Vec<_>>())
}
