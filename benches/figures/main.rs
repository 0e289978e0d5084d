//! The cost of this library, beside a floor without a framework and the official SDK, in the same run.
//!
//! ```sh
//! cargo bench -p figures            # everything that is timed, in two minutes
//! cargo bench -p figures -- http    # one section: one, flight, lists, waiting, http
//! cargo bench -p figures -- counted # what can be counted instead: instructions, allocations, system calls
//! cargo bench -p figures -- builds  # what it costs to build a first server, in some minutes
//! cargo bench -p figures -- growth  # more tools, longer messages, more connections: writes docs/growth.md
//! cargo bench -p figures -- write   # everything, and writes the tables and the plot of docs/performance.md
//! ```
//!
//! Each server is a program of its own, and is built together with this one. What is held to a promise is counted, or
//! taken with client and server on one core, since a hop between two sleeping cores costs more than everything that is
//! measured here. Rounds are interleaved, and a ratio is taken within each round, so that what else the machine does
//! falls on all alike; ratios are what counts. What the wall clock alone says is printed and promises nothing.
//!
//! It exits with an error when a figure that is promised does not hold.

mod builds;
mod calls;
mod client;
mod counted;
mod growth;
mod http;
mod http_figures;
mod ordinary;
mod plot;
mod report;
mod stdio_figures;

use std::fs;
use std::process::ExitCode;

use client::Cores;
use report::{Promises, Table};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let section = arguments.first().map(String::as_str);
    if cfg!(debug_assertions) {
        eprintln!("figures of a debug build mean nothing: use `cargo bench`");
        return ExitCode::FAILURE;
    }
    let cores = Cores::of_this_process();
    let mut promises = Promises::default();
    let writes = section == Some("write");
    let wants = |name: &str| writes || section.is_none_or(|section| section == name);
    let mut tables = Vec::new();
    if wants("one") {
        tables.push(stdio_figures::one_at_a_time(&cores, &mut promises));
    }
    if wants("flight") {
        tables.extend(stdio_figures::in_flight(&cores, &mut promises));
    }
    if wants("lists") {
        tables.push(stdio_figures::lists_and_long_texts(&cores, &mut promises));
    }
    if wants("waiting") {
        tables.push(stdio_figures::waiting_and_blocking(&mut promises));
    }
    if wants("http") {
        tables.extend(http_figures::measure(&cores, &mut promises));
    }
    if writes || section == Some("counted") {
        println!();
        stdio_figures::system_calls(&mut promises);
        tables.extend(counted::measure(&mut promises));
    }
    if writes || section == Some("builds") {
        tables.push(builds::measure(&mut promises));
    }
    if section == Some("growth") {
        growth::measure(&cores, &mut promises);
    } else if tables.is_empty() {
        eprintln!("no such section: one, flight, lists, waiting, http, counted, builds, growth, write");
        return ExitCode::FAILURE;
    }
    if writes {
        write(&tables);
    }
    if promises.hold() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Puts the tables between their marks in `docs/performance.md`, and the plot beside it.
fn write(tables: &[Table]) {
    const BEGIN: &str = "<!-- begin: written by `cargo bench -p figures -- write` -->\n";
    const END: &str = "<!-- end -->";
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let path = format!("{folder}/performance.md");
    let page = fs::read_to_string(&path).expect("docs/performance.md is there");
    let (before, rest) = page.split_once(BEGIN).expect("docs/performance.md has a place for tables");
    let (_, after) = rest.split_once(END).expect("the place has an end");
    let tables_text: Vec<String> = tables.iter().map(Table::markdown).collect();
    let machine = report::machine();
    let page = format!("{before}{BEGIN}On {machine}.\n\n{}\n{END}{after}", tables_text.join("\n"));
    fs::write(&path, page).expect("docs/ can be written");
    let bars = plot::bars(
        "CPU time of one call (logarithmic)",
        &tables.iter().filter_map(Table::cpu_of_calls).collect::<Vec<_>>(),
    );
    fs::write(format!("{folder}/performance.svg"), bars).expect("docs/ can be written");
}
