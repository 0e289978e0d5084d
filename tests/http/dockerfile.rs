//! The order manager's Dockerfile, as far as it can be checked without building an image.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::client::{Request, modern};
use super::processes::Process;
use super::support::client::example;

/// The instructions of the file: their names, and what follows.
fn instructions() -> Vec<(String, String)> {
    let file = include_str!("../../examples/order_manager/Dockerfile");
    let lines = file.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split_once(' ').map(|(name, rest)| (name.into(), rest.into())).expect(line)).collect()
}

/// The arguments of the instructions of that name, in order.
fn all(name: &str) -> Vec<String> {
    instructions().into_iter().filter(|(other, _)| other == name).map(|(_, rest)| rest).collect()
}

fn one(name: &str) -> String {
    let [rest] = all(name).try_into().unwrap_or_else(|all| panic!("one {name}, not {all:?}"));
    rest
}

fn entry_point() -> Vec<String> {
    serde_json::from_str(&one("ENTRYPOINT")).expect("without a shell, which the image does not have")
}

/// The program that the image is built for.
const PROGRAM: &str = "order_manager";

#[test]
fn the_image_contains_the_built_program() {
    let [build, image] = all("FROM").try_into().expect("an image to build in, and one to run in");
    // The builder has the Rust that the workspace needs, and the C library of the image.
    let version = build.strip_prefix("rust:").and_then(|tag| tag.strip_suffix("-bookworm AS build")).unwrap();
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let minor = |version: &str| version.split('.').nth(1).unwrap().parse::<u32>().unwrap();
    assert!(minor(version) >= minor(wanted), "the workspace needs Rust {wanted}");
    assert_eq!(image, "gcr.io/distroless/cc-debian12:nonroot", "bookworm is Debian 12, and nobody is root");
    assert!(all("USER").is_empty(), "it stays the user of the image");

    // Every copied path exists: the repository, the output of the build command, and an empty folder.
    assert_eq!(one("WORKDIR"), "/src");
    let [command, folder] = one("RUN").split(" && ").map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(command, format!("cargo build --release --locked --example {PROGRAM}"));
    assert_eq!(folder, "mkdir /data");
    let built = format!("/src/target/release/examples/{PROGRAM}");
    let program = entry_point().remove(0);
    let copies = [
        ". .".to_owned(),
        format!("--from=build {built} {program}"),
        "--from=build --chown=nonroot:nonroot /data /data".into(),
    ];
    assert_eq!(all("COPY"), copies);
    // The program can write where its database is.
    assert_eq!(one("ENV"), "DATABASE_URL=sqlite:///data/orders.db");
    assert_eq!(one("VOLUME"), "/data");
}

/// The build needs what `.dockerignore` leaves, which is what git has.
#[test]
fn the_build_context_has_every_file_that_the_build_needs() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let ignored: Vec<&str> =
        include_str!("../../.dockerignore").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(ignored, [".git", "**/target", "**/node_modules", "**/*.db", "**/*.db-shm", "**/*.db-wal"]);
    let Ok(files) = Command::new("git").args(["ls-files"]).current_dir(root).output() else { return };
    for file in String::from_utf8(files.stdout).unwrap().lines() {
        let parts = file.split('/');
        let is_left = parts.clone().all(|part| !["target", "node_modules", ".git"].contains(&part));
        assert!(is_left && !file.contains(".db"), "{file} would be missing in the image's build");
    }
    assert!(root.join("Cargo.lock").exists(), "--locked needs it");
    assert!(root.join("examples").join(PROGRAM).join("main.rs").exists());
}

/// An image without a system has the C library, its mathematics, and what unwinds.
#[cfg(target_os = "linux")]
#[test]
fn the_image_has_every_library_of_the_program() {
    let output = Command::new("ldd").arg(example(PROGRAM)).output().expect("ldd");
    let text = String::from_utf8(output.stdout).unwrap();
    let libraries: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    println!("libraries of the order manager: {libraries:?}");
    for library in libraries {
        let name = library.rsplit('/').next().unwrap_or(library);
        let stem = name.split(".so").next().unwrap_or(name);
        let known = ["linux-vdso", "linux-gate", "libgcc_s", "libc", "libm", "libpthread", "libdl", "librt"];
        assert!(known.contains(&stem) || stem.starts_with("ld-linux"), "{name} is not in distroless/cc");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_listens_at_the_address_of_the_image() {
    let entry_point = entry_point();
    let [_, option, address] = entry_point.as_slice() else { panic!("{entry_point:?}") };
    assert_eq!((option.as_str(), address.as_str()), ("--http", &*format!("0.0.0.0:{}", one("EXPOSE"))));
    let folder = std::env::temp_dir().join(format!("dockerfile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let command = |hosts: Option<&str>| {
        let mut command = Command::new(example(PROGRAM));
        command.args([option, "0.0.0.0:0"]).env("DATABASE_URL", format!("sqlite://{}/orders.db", folder.display()));
        match hosts {
            Some(hosts) => command.env("ALLOWED_HOSTS", hosts),
            None => command.env_remove("ALLOWED_HOSTS"),
        };
        command
    };
    // The image does not serve the network by accident.
    let refused = command(None).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("allowed_hosts"));
    let process = Process::spawn(&mut command(Some("localhost")));
    let port = process.server.address.port();
    let server = super::client::Server::at(([127, 0, 0, 1], port).into());
    // Health checks of containers come by an address.
    for path in ["/healthz", "/readyz"] {
        let probe = Request { path: path.into(), ..Request::new("GET") }.set("Host", "10.0.0.7:8000");
        assert_eq!(server.send(&probe).await.status, 200, "{path}");
    }
    assert_eq!(server.send(&modern(1, "tools/list", json!({}))).await.status, 200);
    let stranger = modern(1, "tools/list", json!({})).set("Host", "10.0.0.7:8000");
    assert_eq!(server.send(&stranger).await.status, 403);
    assert!(folder.join("orders.db").exists(), "the database is where the image says");
    drop(process);
    std::fs::remove_dir_all(folder).unwrap();
}
