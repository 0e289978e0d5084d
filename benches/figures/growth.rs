//! What grows with what: figures for more tools and for longer messages, as a table and a plot in `docs/`.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::client::{self, Server};
use crate::median;

const TOOLS: [usize; 4] = [10, 100, 1_000, 10_000];
/// The longest is below the limit of a message, which is 16 MiB with all that is around the text.
const BYTES: [usize; 5] = [1 << 10, 16 << 10, 256 << 10, 1 << 20, (16 << 20) - 1024];
const ROUNDS: usize = 5;

pub fn measure() {
    client::pin_to_one_core();
    let mut starts = Vec::new();
    let mut lists = Vec::new();
    let mut calls = Vec::new();
    for tools in TOOLS {
        let role = format!("fastmcp-tools {tools}");
        let of = |measure: &dyn Fn(&mut Server) -> f64| {
            let round = |_| measure(&mut Server::start(&role));
            median(&(0..ROUNDS).map(round).collect::<Vec<_>>())
        };
        starts.push(of(&|server| server.cpu_until_discovered() * 1000.0));
        lists.push(of(&|server| {
            // The first one makes the pages.
            server.list(tools);
            median(&(0..20).map(|_| server.list(tools)).collect::<Vec<_>>())
        }));
        calls.push(of(&|server| server.median_call(5_000)));
    }
    let mut ours = Vec::new();
    let mut official = Vec::new();
    for bytes in BYTES {
        let calls = ((64 << 20) / bytes).clamp(5, 2_000);
        let of = |role: &str| median(&(0..3).map(|_| Server::start(role).echo(bytes, calls)).collect::<Vec<_>>());
        ours.push(of("fastmcp"));
        official.push(of("rmcp-pipes"));
    }
    let mut page = format!(
        "# Growth\n\nWritten by `cargo bench --bench figures -- growth` on {}. Microseconds; client and server share one core. \
         A list is read to its end, in pages of 1,000. Start-up is the CPU time to the first answer, and a tool made at \
         run time costs more there than one of a macro.\n\n![Growth](growth.svg)\n\n\
         | tools | start-up | `tools/list` | a call |\n|---:|---:|---:|---:|\n",
        machine()
    );
    for (at, tools) in TOOLS.iter().enumerate() {
        let _ = writeln!(page, "| {tools} | {:.0} | {:.1} | {:.2} |", starts[at], lists[at], calls[at]);
    }
    page.push_str("\n| bytes of text, there and back | fastmcp-rs | rmcp, `stdio_pipes()` |\n|---:|---:|---:|\n");
    for (at, bytes) in BYTES.iter().enumerate() {
        let _ = writeln!(page, "| {bytes} | {:.1} | {:.1} |", ours[at], official[at]);
    }
    print!("{page}");
    let tools = TOOLS.map(|tools| tools as f64);
    let bytes = BYTES.map(|bytes| bytes as f64);
    let left =
        plot(0.0, "registered tools", &tools, &[("start-up", &starts), ("tools/list", &lists), ("a call", &calls)]);
    let right = plot(440.0, "bytes of a text that is echoed", &bytes, &[("fastmcp-rs", &ours), ("rmcp", &official)]);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 880 320\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"880\" height=\"320\" fill=\"white\"/>\n{left}{right}</svg>\n"
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
    fs::write(format!("{folder}/growth.md"), page).expect("docs/ can be written");
    fs::write(format!("{folder}/growth.svg"), svg).expect("docs/ can be written");
}

/// The machine, in a few words.
fn machine() -> String {
    let first = |path: &str, label: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(label)).unwrap_or_default();
        line.rsplit([':']).next().unwrap_or_default().trim().to_owned()
    };
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{}, {cores} cores, Linux {}, {}",
        first("/proc/cpuinfo", "model name"),
        first("/proc/sys/kernel/osrelease", ""),
        String::from_utf8_lossy(&rustc).split(" (").next().unwrap_or_default()
    )
}

/// Curves over two logarithmic axes; what is linear rises by one decade a decade.
fn plot(left: f64, label: &str, across: &[f64], curves: &[(&str, &Vec<f64>)]) -> String {
    const COLOURS: [&str; 3] = ["#b45309", "#1d4ed8", "#15803d"];
    let all = curves.iter().flat_map(|(_, values)| values.iter().copied());
    let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    let (first, last) = (across[0].log10(), across[across.len() - 1].log10());
    let x = |value: f64| left + 60.0 + 300.0 * (value.log10() - first) / (last - first);
    let y = |value: f64| 270.0 - 240.0 * (value.log10() - low) / (high - low);
    let mut svg = String::new();
    for decade in low as i32..=high as i32 {
        let (value, height) = (10f64.powi(decade), y(10f64.powi(decade)));
        let _ = writeln!(
            svg,
            "<path d=\"M{:.1} {height:.1}h300\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value} µs</text>",
            left + 60.0,
            left + 54.0,
            height + 4.0
        );
    }
    for value in across {
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"288\" text-anchor=\"middle\">{value}</text>", x(*value));
    }
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"308\" text-anchor=\"middle\">{label}</text>", left + 210.0);
    for ((name, values), colour) in curves.iter().zip(COLOURS) {
        let points: Vec<String> =
            across.iter().zip(values.iter()).map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        let (end, height) = (x(across[across.len() - 1]), y(values[values.len() - 1]));
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            points.join(" "),
            end + 6.0,
            height + 4.0
        );
    }
    svg
}
