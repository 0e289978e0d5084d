//! The cost of a call over HTTP, beside bare hyper and the official SDK at its best.

use crate::client::{Cores, Era};
use crate::http::HttpServer;
use crate::ordinary;
use crate::report::{NOISE, Promises, Table};

const ROUNDS: usize = 5;
const CPU: &str = "CPU of a call, 8 connections, µs";
const SEQUENCE: &str = "a call in sequence, p50 µs";
const THROUGHPUT: &str = "calls/s, 64 connections";
const MEMORY: &str = "KiB a connection";
const PEAK: &str = "peak memory, MiB";

/// hyper on one thread; fastmcp-rs; hyper on the runtime that `#[mcp::main]` makes where there are two cores; rmcp.
const SERVERS: [(&str, &str); 4] = [
    ("hyper", "floor-http"),
    ("fastmcp-rs", "http"),
    ("hyper, a worker beside", "floor-http worker"),
    ("rmcp, JSON, no sessions", "rmcp-http"),
];

pub fn measure(cores: &Cores, promises: &mut Promises) -> Vec<Table> {
    let mut tables = Vec::new();
    for era in Era::BOTH {
        let mut table = Table::new(format!("HTTP, {}", era.name()), &SERVERS.map(|(name, _)| name));
        for _ in 0..ROUNDS {
            for (name, program) in SERVERS {
                cores.pin();
                let mut server = HttpServer::start(program);
                table.add(name, CPU, server.flight(era, 10_000, 8).cpu);
                table.add(name, SEQUENCE, server.sequence(era, 4_000));
                table.add_plain(name, PEAK, server.process.peak_kib() / 1024.0);
                if program == "http" {
                    ordinary::on_http(&mut server, era);
                }
                cores.unpin();
                let mut server = HttpServer::start(program);
                table.add(name, THROUGHPUT, server.flight(era, 10_000, 64).per_second);
                table.add(name, MEMORY, server.memory_of_connections(era, 300));
            }
        }
        print!("\n{}", table.markdown());
        let [floor, ours, _, rmcp] = SERVERS.map(|(name, _)| name);
        let what = |figure: &str| format!("{}: {figure}", era.name());
        promises.at_most(&what("CPU of a call beside hyper"), table.ratio(ours, floor, CPU), 1.5, NOISE);
        promises.at_most(&what("CPU of a call beside rmcp"), table.ratio(ours, rmcp, CPU), 0.4, NOISE);
        promises.at_most(&what("a call in sequence beside hyper"), table.ratio(ours, floor, SEQUENCE), 1.4, NOISE);
        // In the older revisions each connection has a session, which takes about 2 KiB of the 12.
        promises.at_most(&what("memory of a connection beside hyper"), table.ratio(ours, floor, MEMORY), 1.2, 1.2);
        promises.shown(&what("throughput beside rmcp"), table.ratio(ours, rmcp, THROUGHPUT), "at least 2.5");
        let (json, events) = HttpServer::start("http").stalls(era, 200);
        promises.at_most(&what("ms to a JSON answer, 9 of 10"), json, 2.0, 1.0);
        promises.at_most(&what("ms to the first event of a stream, 9 of 10"), events, 2.0, 1.0);
        tables.push(table);
    }
    tables
}
