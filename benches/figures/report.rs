//! Tables of figures, the median of ratios within rounds, and promises that hold or do not.

use std::fmt::Write as _;

/// One table: servers down, figures across. The first server is what the others are compared with.
pub struct Table {
    title: String,
    servers: Vec<&'static str>,
    figures: Vec<Figure>,
}

struct Figure {
    name: &'static str,
    /// One list of values, a round each, for each server.
    values: Vec<Vec<f64>>,
    shows_ratio: bool,
}

impl Table {
    pub fn new(title: impl Into<String>, servers: &[&'static str]) -> Table {
        Table { title: title.into(), servers: servers.to_vec(), figures: Vec::new() }
    }

    /// Adds what a round has given; `name` has the unit.
    pub fn add(&mut self, server: &str, name: &'static str, value: f64) {
        self.add_as(server, name, value, true);
    }

    /// The same for what is not to be compared.
    pub fn add_plain(&mut self, server: &str, name: &'static str, value: f64) {
        self.add_as(server, name, value, false);
    }

    fn add_as(&mut self, server: &str, name: &'static str, value: f64, shows_ratio: bool) {
        let count = self.servers.len();
        let row = self.row(server);
        let at = self.figures.iter().position(|figure| figure.name == name).unwrap_or_else(|| {
            self.figures.push(Figure { name, values: vec![Vec::new(); count], shows_ratio });
            self.figures.len() - 1
        });
        self.figures[at].values[row].push(value);
    }

    fn row(&self, server: &str) -> usize {
        self.servers.iter().position(|known| *known == server).unwrap_or_else(|| panic!("no server {server}"))
    }

    fn values(&self, server: &str, name: &str) -> &[f64] {
        let figure = self.figures.iter().find(|figure| figure.name == name);
        &figure.unwrap_or_else(|| panic!("no figure {name}")).values[self.row(server)]
    }

    pub fn median(&self, server: &str, name: &str) -> f64 {
        median(self.values(server, name))
    }

    /// The median of the ratios within each round.
    pub fn ratio(&self, server: &str, reference: &str, name: &str) -> f64 {
        let pairs = self.values(server, name).iter().zip(self.values(reference, name));
        median(&pairs.map(|(figure, reference)| figure / reference).collect::<Vec<_>>())
    }

    /// The CPU time of a call at each server, if that is what the table has.
    pub fn cpu_of_calls(&self) -> Option<(String, Vec<(String, f64)>)> {
        let figure = self.figures.iter().find(|figure| figure.name.starts_with("CPU of a call"))?;
        let bars =
            self.servers.iter().zip(&figure.values).map(|(name, values)| (name.replace('`', ""), median(values)));
        Some((self.title.clone(), bars.collect()))
    }

    pub fn markdown(&self) -> String {
        let mut out = format!("**{}**\n\n| server |", self.title);
        self.figures.iter().for_each(|figure| out.push_str(&format!(" {} |", figure.name)));
        out.push_str("\n|---|");
        self.figures.iter().for_each(|_| out.push_str("---:|"));
        out.push('\n');
        for (row, server) in self.servers.iter().enumerate() {
            let _ = write!(out, "| {server} |");
            for figure in &self.figures {
                if figure.values[row].is_empty() {
                    out.push_str(" |");
                    continue;
                }
                let _ = write!(out, " {}", number(median(&figure.values[row])));
                if figure.shows_ratio && !figure.values[0].is_empty() {
                    let _ = write!(out, ", x{}", number(self.ratio(server, self.servers[0], figure.name)));
                }
                out.push_str(" |");
            }
            out.push('\n');
        }
        out
    }
}

/// Promises, each printed with its figure.
#[derive(Default)]
pub struct Promises {
    broken: usize,
}

/// The factor by which the load of a machine may change a timed ratio. Timed ratios find changes that cost more;
/// counted figures find smaller ones.
pub const NOISE: f64 = 1.25;

impl Promises {
    /// A figure that may be at most so much; `slack` is what noise may make of it.
    pub fn at_most(&mut self, what: &str, figure: f64, limit: f64, slack: f64) {
        let holds = figure <= limit * slack;
        let verdict = match holds {
            true if figure <= limit => "holds",
            true => "is above it, by no more than noise may add",
            false => "DOES NOT HOLD",
        };
        self.broken += usize::from(!holds);
        println!("{what}: {}, at most {} promised: {verdict}", number(figure), number(limit));
    }

    /// A figure of the wall clock: it is printed beside its goal and never fails.
    pub fn shown(&self, what: &str, figure: f64, goal: &str) {
        println!("{what}: {}, the goal is {goal} (not gated)", number(figure));
    }

    pub fn hold(&self) -> bool {
        self.broken == 0
    }
}

/// A number with three digits that matter.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 10_000.0 => grouped(value),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && digits.as_bytes()[at - 1].is_ascii_digit() {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub fn median(figures: &[f64]) -> f64 {
    percentile(figures, 0.5)
}

pub fn percentile(figures: &[f64], part: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// The machine, in a few words.
pub fn machine() -> String {
    let first = |path: &str, label: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(label)).unwrap_or_default();
        line.rsplit([':']).next().unwrap_or_default().trim().to_owned()
    };
    let rustc = std::process::Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| output.stdout).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = first("/proc/cpuinfo", "model name");
    let release = first("/proc/sys/kernel/osrelease", "");
    let rustc = String::from_utf8_lossy(&rustc).split(" (").next().unwrap_or_default().trim().to_owned();
    format!("{model}, {cores} cores, Linux {release}, {rustc}")
}
