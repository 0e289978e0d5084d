//! The cost of a server on standard input and output, beside a floor without a framework and the official SDK.

use crate::calls::Call;
use crate::client::{Cores, Era, Process, Server};
use crate::ordinary;
use crate::report::{NOISE, Promises, Table, median};

const ROUNDS: usize = 5;
/// A start takes a millisecond, of which a page fault more or less is a part that shows.
const STARTS: usize = 8;

const FLOOR: &str = "floor";
const OURS: &str = "fastmcp-rs";
const PIPES: &str = "rmcp, `stdio_pipes()`";
const RMCP: &str = "rmcp, `stdio()`";
const SERVERS: [(&str, &str); 4] = [(FLOOR, "floor 4"), (OURS, "stdio"), (PIPES, "rmcp pipes 4"), (RMCP, "rmcp 4")];
const NAMES: [&str; 4] = [FLOOR, OURS, PIPES, RMCP];

/// Start-up, a call in sequence, idle memory.
pub fn one_at_a_time(cores: &Cores, promises: &mut Promises) -> Table {
    const STARTUP: &str = "start-up CPU, ms";
    const SEQUENCE: &str = "a call in sequence, p50 µs";
    const IDLE: &str = "idle memory, MiB";
    cores.pin();
    let mut table = Table::new("One call at a time, 2026-07-28", &NAMES);
    for _ in 0..ROUNDS {
        for (name, program) in SERVERS {
            let starts: Vec<f64> = (0..STARTS).map(|_| Server::startup_cpu(program)).collect();
            table.add(name, STARTUP, median(&starts));
            let mut server = Server::start(program, Era::Modern);
            server.sequence(1);
            table.add(name, IDLE, server.process.resident_kib() / 1024.0);
            table.add(name, SEQUENCE, server.sequence(10_000));
        }
    }
    cores.unpin();
    print!("\n{}", table.markdown());
    // Two starts of one program differ by a few per cent, so that much is allowed.
    promises.at_most("start-up CPU beside rmcp", table.ratio(OURS, RMCP, STARTUP), 1.0, NOISE);
    promises.at_most("a call in sequence beside the floor", table.ratio(OURS, FLOOR, SEQUENCE), 1.25, NOISE);
    promises.shown("start-up CPU beside the floor", table.ratio(OURS, FLOOR, STARTUP), "at most 1.3");
    promises.shown("idle memory beside the floor", table.ratio(OURS, FLOOR, IDLE), "at most 1.4");
    table
}

/// 64 calls in flight, in both eras; and what memory they take.
pub fn in_flight(cores: &Cores, promises: &mut Promises) -> Vec<Table> {
    const CPU: &str = "CPU of a call, µs";
    const SPEED: &str = "calls/s, one core";
    const FREE: &str = "calls/s, all cores";
    const PEAK: &str = "peak memory, MiB";
    const GROWTH: &str = "KiB from 10,000 to 100,000 calls";
    // A structured result, small and larger.
    const STRUCTURED: [(Call, &str); 2] = [(Call::Add, "CPU of `add`, µs"), (Call::GetOrder, "of `get_order`, µs")];
    let mut tables = Vec::new();
    for era in Era::BOTH {
        let mut table = Table::new(format!("64 calls in flight, {}", era.name()), &NAMES);
        for round in 0..ROUNDS {
            for (name, program) in SERVERS {
                cores.pin();
                let mut server = Server::start(program, era);
                server.in_flight(Call::Echo, 10_000, 64);
                let early = server.process.peak_kib();
                // Memory is looked at once: it takes many calls, and hardly differs.
                let calls = if round == 0 { 90_000 } else { 20_000 };
                let flight = server.in_flight(Call::Echo, calls, 64);
                table.add(name, CPU, flight.cpu);
                for (call, figure) in STRUCTURED {
                    let mut server = Server::start(program, era);
                    server.in_flight(call, 2_000, 64);
                    table.add(name, figure, server.in_flight(call, 20_000, 64).cpu);
                }
                table.add(name, SPEED, flight.per_second);
                if round == 0 {
                    table.add(name, PEAK, server.process.peak_kib() / 1024.0);
                    table.add_plain(name, GROWTH, server.process.peak_kib() - early);
                }
                if name == OURS {
                    ordinary::on_stdio(&mut server, era);
                }
                cores.unpin();
                table.add(name, FREE, Server::start(program, era).in_flight(Call::Echo, 20_000, 64).per_second);
            }
        }
        print!("\n{}", table.markdown());
        let what = |figure: &str| format!("{}: {figure}", era.name());
        promises.at_most(&what("CPU of a call beside the floor"), table.ratio(OURS, FLOOR, CPU), 2.0, NOISE);
        promises.at_most(&what("CPU of a call beside rmcp at its best"), table.ratio(OURS, PIPES, CPU), 0.08, NOISE);
        let [add, order] = STRUCTURED.map(|(_, figure)| figure);
        promises.at_most(&what("CPU of `add` beside the floor"), table.ratio(OURS, FLOOR, add), 2.0, NOISE);
        promises.shown(&what("CPU of `get_order` beside the floor"), table.ratio(OURS, FLOOR, order), "at most 2");
        promises.at_most(&what("CPU of `add` beside rmcp at its best"), table.ratio(OURS, PIPES, add), 0.1, NOISE);
        promises.at_most(&what("CPU of `get_order` beside rmcp"), table.ratio(OURS, PIPES, order), 0.15, NOISE);
        promises.at_most(&what("KiB from 10,000 to 100,000 calls"), table.median(OURS, GROWTH), 64.0, 1.5);
        promises.shown(&what("peak memory beside the floor"), table.ratio(OURS, FLOOR, PEAK), "at most 1.4");
        promises.shown(&what("throughput beside the floor"), table.ratio(OURS, FLOOR, SPEED), "at least 0.8");
        promises.shown(&what("throughput beside rmcp at its best"), table.ratio(OURS, PIPES, FREE), "at least 4.5");
        promises.shown(&what("throughput beside rmcp as documented"), table.ratio(OURS, RMCP, FREE), "at least 20");
        tables.push(table);
    }
    tables
}

/// Lists, and texts of 1 MiB.
pub fn lists_and_long_texts(cores: &Cores, promises: &mut Promises) -> Table {
    const FEW: &str = "`tools/list` of 4, CPU µs";
    const MANY: &str = "of 100, CPU µs";
    const LONG: &str = "1 MiB there and back, CPU µs";
    const TOOLS: [(&str, &str); 3] = [(FLOOR, "floor"), (OURS, "tools"), (PIPES, "rmcp pipes plain")];
    cores.pin();
    let mut table = Table::new("Lists and long texts, 2026-07-28", &[FLOOR, OURS, PIPES]);
    for _ in 0..ROUNDS {
        for (name, program) in TOOLS {
            for (figure, tools) in [(FEW, 4), (MANY, 100)] {
                let mut server = Server::start(&format!("{program} {tools}"), Era::Modern);
                table.add(name, figure, server.lists(tools, 800));
            }
            let mut server = Server::start(&format!("{program} 4"), Era::Modern);
            table.add(name, LONG, server.long_text(1 << 20, 20).0);
        }
    }
    cores.unpin();
    print!("\n{}", table.markdown());
    promises.at_most("a list of 4 beside the floor", table.ratio(OURS, FLOOR, FEW), 1.3, NOISE);
    promises.at_most("a list of 100 beside the floor", table.ratio(OURS, FLOOR, MANY), 1.3, NOISE);
    promises.at_most("1 MiB beside the floor", table.ratio(OURS, FLOOR, LONG), 3.0, NOISE);
    promises.at_most("1 MiB beside rmcp at its best", table.ratio(OURS, PIPES, LONG), 0.8, NOISE);
    table
}

/// Tools that wait, and tools that block.
pub fn waiting_and_blocking(promises: &mut Promises) -> Table {
    const SLEEP: &str = "200 calls that sleep 50 ms, ms";
    const SYNC: &str = "calls/s of a plain `fn`, 64 in flight";
    const ASYNC: &str = "of an `async fn`";
    const ALONE: &str = "p99 of 63 in flight, ms";
    const BESIDE: &str = "beside one that blocks for 2 s, ms";
    let mut table = Table::new("Tools that wait or block, all cores, 2026-07-28", &[FLOOR, OURS, PIPES, RMCP]);
    for _ in 0..ROUNDS {
        for (name, program) in SERVERS {
            let mut server = Server::start(program, Era::Modern);
            table.add(name, SLEEP, server.sleepers(200));
            table.add_plain(name, ASYNC, server.in_flight(Call::Echo, 20_000, 64).per_second);
            if name == OURS {
                table.add_plain(name, SYNC, server.in_flight(Call::EchoBlocking, 20_000, 64).per_second);
                table.add_plain(name, ALONE, server.beside_a_sleeper(20_000, false));
                table.add_plain(name, BESIDE, server.beside_a_sleeper(20_000, true));
            }
        }
    }
    print!("\n{}", table.markdown());
    promises.shown("200 sleepers beside the floor", table.ratio(OURS, FLOOR, SLEEP), "at most 1.05");
    let sync = table.median(OURS, SYNC) / table.median(RMCP, ASYNC);
    promises.shown("calls/s of a plain `fn` beside any tool of rmcp's `stdio()`", sync, "at least 5");
    let moved = table.median(OURS, BESIDE) - table.median(OURS, ALONE);
    promises.at_most("ms that one blocked call adds to the p99 of the others", moved, 20.0, 1.0);
    table
}

/// The reads and writes of a call in sequence.
pub fn system_calls(promises: &mut Promises) {
    let mut server = Server::start("stdio", Era::Modern);
    let count = |process: &Process| process.reads_and_writes();
    server.sequence(10);
    let before = count(&server.process);
    server.sequence(1_000);
    promises.at_most("reads and writes of a call in sequence", (count(&server.process) - before) / 1_000.0, 2.0, 1.005);
}
