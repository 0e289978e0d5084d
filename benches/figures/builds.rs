//! The cost of a first server's build: for release from scratch, and again after an edit.
//!
//! Both servers are packages of their own, made in a temporary folder, with the versions of this workspace and the
//! profile of the project's template. CPU time is that of the compiler on all cores; a rebuild is what its author waits
//! for, so it is timed by the wall, for development.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::report::{Promises, Table, median};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const PROFILE: &str = r#"
[workspace]

[profile.release]
codegen-units = 1
lto = "fat"
strip = true

[profile.release.package."*"]
opt-level = "s"
"#;
/// The text that an edit changes in both.
const TEXT: &str = "Hello, ";
const EDITS: usize = 5;

const OFFICIAL: &str = r#"use rmcp::handler::server::wrapper::Parameters;
use rmcp::schemars::{self, JsonSchema};
use rmcp::{ServiceExt, tool, tool_handler, tool_router};
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Greeting {
    name: String,
}

#[derive(Clone)]
struct Hello;

#[tool_router]
impl Hello {
    #[tool(description = "Greets somebody by name")]
    async fn hello(&self, Parameters(Greeting { name }): Parameters<Greeting>) -> String {
        format!("Hello, {name}!")
    }
}

#[tool_handler]
impl rmcp::ServerHandler for Hello {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Hello.serve(rmcp::transport::stdio()).await?.waiting().await?;
    Ok(())
}
"#;
const OFFICIAL_DEPENDENCIES: &str = r#"rmcp = { version = "3", features = ["macros", "server", "transport-io"] }
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
"#;

pub fn measure(promises: &mut Promises) -> Table {
    const CLEAN: &str = "clean release build, CPU s";
    const AGAIN: &str = "after an edit of a tool, s";
    const SIZE: &str = "stripped, MB";
    let (ours, official) = ("fastmcp-rs", "rmcp");
    let hello = fs::read_to_string(format!("{WORKSPACE}/examples/hello.rs")).expect("the example is there");
    let dependency = format!("fastmcp-rs = {{ path = {:?} }}\n", format!("{WORKSPACE}/fastmcp-rs"));
    let mut table = Table::new("A first server on standard input and output", &[official, ours]);
    for (name, source, dependencies) in [(official, OFFICIAL, OFFICIAL_DEPENDENCIES), (ours, &hello, &dependency)] {
        let package = Package::new(name, source, dependencies);
        // The time of downloads does not count.
        package.cargo(&["fetch"]);
        let before = children_cpu();
        package.cargo(&["build", "--release"]);
        table.add(name, CLEAN, children_cpu() - before);
        let server = fs::metadata(package.folder.join("target/release/first")).expect("it was built");
        table.add_plain(name, SIZE, server.len() as f64 / 1e6);
        package.cargo(&["build"]);
        let rebuilds: Vec<f64> = (0..EDITS).map(|edit| package.rebuild(source, edit)).collect();
        table.add(name, AGAIN, median(&rebuilds));
    }
    print!("\n{}", table.markdown());
    promises.at_most("CPU of a clean release build beside rmcp", table.ratio(ours, official, CLEAN), 2.0 / 3.0, 1.1);
    promises.at_most("seconds after an edit of a tool", table.median(ours, AGAIN), 3.0, 1.0);
    table
}

/// A package in a folder that goes with this value.
struct Package {
    folder: PathBuf,
}

impl Package {
    fn new(name: &str, source: &str, dependencies: &str) -> Package {
        let folder = std::env::temp_dir().join(format!("figures-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("src")).expect("there is room for temporary files");
        let manifest = format!(
            "[package]\nname = \"first\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}{PROFILE}"
        );
        let package = Package { folder };
        package.write("Cargo.toml", &manifest);
        package.write("src/main.rs", source);
        fs::copy(format!("{WORKSPACE}/Cargo.lock"), package.folder.join("Cargo.lock")).expect("the versions are known");
        package
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).expect("there is room for temporary files");
    }

    fn cargo(&self, arguments: &[&str]) {
        let mut cargo = Command::new(env!("CARGO"));
        // As its author has it, whatever is set for the build of this program.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_") && name != "CARGO_HOME" {
                cargo.env_remove(name);
            }
        }
        let cargo = cargo.args(arguments).current_dir(&self.folder).stdout(Stdio::null()).stderr(Stdio::piped());
        let output = cargo.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Edits the tool, and gives how many seconds it takes until it is built.
    fn rebuild(&self, source: &str, edit: usize) -> f64 {
        assert!(source.contains(TEXT), "there is nothing to edit");
        self.write("src/main.rs", &source.replace(TEXT, &format!("Hello number {edit}, ")));
        let start = Instant::now();
        self.cargo(&["build"]);
        start.elapsed().as_secs_f64()
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all::<&Path>(&self.folder);
    }
}

/// The CPU time in seconds of all processes that this one has started and that have ended, theirs included.
fn children_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("the kernel counts it");
    let fields: Vec<&str> = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ').collect();
    let ticks: f64 = fields[13..=14].iter().map(|ticks| ticks.parse::<f64>().expect("a number of ticks")).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}
