//! The end of states, in separate server processes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::client::{Setup, example};
use crate::support::{Folder, Revision, Server};

fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid().try_into().unwrap()).unwrap();
    kill_process(pid, signal).expect("the server is there");
}

/// Waits until a server has made its states.
fn start_serving(server: &mut Server) {
    server.open(Revision::NEWEST);
    server.ask("server/discover", Value::Null);
}

/// The folder of a server for its journals, each in a buffer, and for its notes.
struct Place(Folder);

/// The journals of states and of other values that an app owns.
const JOURNALS: [(&str, &str); 5] =
    [("", "said"), (".made", "said"), (".mounted", "said"), (".closure", "by a closure"), (".layer", "write")];

impl Place {
    fn new() -> Place {
        Place(Folder::new())
    }

    fn set(&self, setup: Setup) -> Setup {
        setup.env("JOURNAL", self.0.path().join("journal")).env("NOTES", self.0.path().join("notes"))
    }

    /// Starts a server with journals, writes to each of them, and proves that nothing is in the files yet.
    fn start(&self, setup: impl FnOnce(Setup) -> Setup) -> Server {
        let mut server = self.set(setup(Server::setup("runtimes"))).start();
        server.open(Revision::NEWEST);
        for (tool, arguments) in WRITES {
            assert!(!server.call(tool, serde_json::from_str(arguments).unwrap()).is_tool_error());
        }
        assert_eq!(self.written(), [""; 5]);
        server
    }

    fn journal(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(format!("journal{name}"))).unwrap_or_default()
    }

    fn written(&self) -> [String; 5] {
        JOURNALS.map(|(name, _)| self.journal(name))
    }

    fn assert_written(&self, how: &str) {
        for (name, text) in JOURNALS {
            assert!(self.journal(name).contains(text), "{how}: {:?}", self.written());
        }
    }

    fn notes(&self) -> Vec<String> {
        let notes = fs::read_to_string(self.0.path().join("notes")).unwrap_or_default();
        notes.lines().map(str::to_owned).collect()
    }

    fn wait_for_note(&self, note: &str) {
        let start = Instant::now();
        while !self.notes().iter().any(|line| line == note) {
            assert!(start.elapsed() < Duration::from_secs(20), "{note}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

const WRITES: [(&str, &str); 3] =
    [("write", r#"{"text": "said"}"#), ("inner_write", r#"{"text": "said"}"#), ("write_closure", "{}")];

/// The runtimes that a server may have, and its settings.
const RUNTIMES: [Option<&str>; 3] = [None, Some("multi"), Some("current")];

fn on(runtime: Option<&'static str>) -> impl FnOnce(Setup) -> Setup {
    move |setup| match runtime {
        Some(runtime) => setup.env("RUNTIME", runtime),
        None => setup,
    }
}

#[test]
fn states_are_dropped_at_the_end_of_input_and_by_a_signal() {
    for runtime in RUNTIMES {
        for kind in [None, Some(Signal::TERM), Some(Signal::INT), Some(Signal::HUP)] {
            let place = Place::new();
            let mut server = place.start(on(runtime));
            match kind {
                None => server.close_input(),
                Some(kind) => signal(&server, kind),
            }
            assert!(server.wait().success());
            place.assert_written(&format!("{runtime:?} {kind:?}"));
            assert_eq!(place.notes(), ["returned"]);
            assert!(!server.final_stderr().contains("dropped"));
        }
    }
}

#[test]
fn states_are_dropped_when_the_output_is_not_read() {
    let place = Place::new();
    let mut server = place.set(Server::setup("runtimes")).without_reading().start();
    let mut output = BufReader::new(server.take_output());
    for (id, (tool, arguments)) in WRITES.into_iter().enumerate() {
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        server.send(&Revision::NEWEST.request(id, "tools/call", json!({"name": tool, "arguments": arguments})));
        output.read_line(&mut String::new()).unwrap();
    }
    drop(output);
    server.send(&Revision::NEWEST.request("last", "tools/list", Value::Null));
    assert!(server.wait().success());
    place.assert_written("closed output");
}

#[test]
fn states_are_dropped_when_the_parent_has_ended() {
    let place = Place::new();
    let mut command = Command::new("sh");
    command.args(["-c", "exec 3<&0; \"$0\" <&3 & sleep 1"]).arg(example("runtimes"));
    let mut server = place.set(Server::command(command)).start();
    server.open(Revision::NEWEST);
    for (tool, arguments) in WRITES {
        server.call(tool, serde_json::from_str(arguments).unwrap());
    }
    server.wait();
    // The end of the output is the end of the server, which is not a child of this process.
    assert!(server.next().is_none());
    place.assert_written("the parent is gone");
}

#[test]
fn states_are_dropped_when_the_program_drops_the_server() {
    for runtime in RUNTIMES {
        let place = Place::new();
        let mut server = place.start(|setup| on(runtime)(setup.env("DROP_MS", "1500")));
        assert!(server.wait().success());
        for name in ["", ".made", ".mounted"] {
            assert!(place.journal(name).contains("said"), "{runtime:?}: {:?}", place.written());
        }
    }
}

#[test]
fn destructors_may_block_or_drop_a_runtime_when_the_program_drops_the_server() {
    for way in ["blocks", "runtime"] {
        for _ in 0..3 {
            let place = Place::new();
            let mut server = place.set(Server::setup("runtimes").env("RUDE", way).env("DROP_MS", "150")).start();
            assert!(server.wait().success());
            let told = server.final_stderr();
            assert!(!told.contains("panicked"), "{way}: {told}");
            assert_eq!(place.notes().last().map(String::as_str), Some("returned"), "{way}: states are dropped before");
        }
    }
}

#[test]
fn unused_states_are_dropped_while_others_hang() {
    for (tool, arguments, runtime) in [
        ("hang", json!({"with_journal": false}), None),
        ("hang", json!({"with_journal": false}), Some("current")),
        ("hang_async", json!({}), None),
        ("hang_async", json!({}), Some("current")),
    ] {
        let place = Place::new();
        let mut server = place.start(on(runtime));
        server.begin_call(tool, arguments);
        place.wait_for_note("hangs");
        // Twice, as the first one waits for the call.
        signal(&server, Signal::TERM);
        thread::sleep(Duration::from_millis(50));
        signal(&server, Signal::TERM);
        assert!(server.wait_within(Duration::from_secs(8)).success());
        for name in ["", ".made", ".mounted"] {
            assert!(place.journal(name).contains("said"), "{tool} on {runtime:?}: {:?}", place.written());
        }
    }
}

#[test]
fn a_state_used_by_a_thread_is_reported_and_delays_no_other() {
    let place = Place::new();
    let mut server = place.start(|setup| setup);
    server.begin_call("hang", json!({"with_journal": true}));
    place.wait_for_note("hangs");
    signal(&server, Signal::TERM);
    thread::sleep(Duration::from_millis(50));
    signal(&server, Signal::TERM);
    assert!(server.wait_within(Duration::from_secs(8)).success());
    assert_eq!((place.journal(""), place.journal(".made")), (String::new(), "said\n".into()));
    let told = server.final_stderr();
    let warning =
        told.lines().find(|line| line.contains("were not dropped at its end, because tasks or threads still use"));
    assert!(warning.is_some_and(|line| line.contains("Journal`") && !line.contains("MadeJournal`")), "{told}");
}

#[test]
fn a_call_cancelled_at_the_end_releases_its_state() {
    for runtime in RUNTIMES {
        let place = Place::new();
        let mut server = place.start(on(runtime));
        server.begin_call("wait", json!({}));
        place.wait_for_note("waits");
        signal(&server, Signal::TERM);
        thread::sleep(Duration::from_millis(50));
        // Calls are cancelled now.
        signal(&server, Signal::TERM);
        assert!(server.wait_within(Duration::from_secs(4)).success());
        place.assert_written(&format!("{runtime:?}"));
    }
}

#[test]
fn states_are_dropped_in_reverse_order_of_creation() {
    for runtime in RUNTIMES {
        let place = Place::new();
        let mut server = place.set(on(runtime)(Server::setup("runtimes").env("NOTED", ""))).start();
        start_serving(&mut server);
        server.close_input();
        assert!(server.wait().success());
        let names = ["made by the mounted app", "made last", "made first", "given to the mounted app", "given last"];
        let dropped = names.into_iter().chain(["given first"]).map(|name| format!("{name} dropped in a runtime"));
        let expected: Vec<_> =
            std::iter::once("shut down".to_owned()).chain(dropped).chain(["returned".into()]).collect();
        assert_eq!(place.notes(), expected, "{runtime:?}");
    }
}

#[test]
fn states_are_dropped_when_a_server_does_not_start() {
    for setting in ["FAILS", "TWICE"] {
        let place = Place::new();
        let mut server = place.set(Server::setup("runtimes").env("NOTED", "").env(setting, "")).start();
        assert_eq!(server.wait().code(), Some(1));
        let notes = place.notes();
        assert_eq!(notes.last().map(String::as_str), Some("returned"), "{notes:?}");
        let given = ["given to the mounted app", "given last", "given first"];
        let given = given.map(|name| format!("{name} dropped in a runtime"));
        assert!(notes[..notes.len() - 1].ends_with(&given), "{setting}: {notes:?}");
        let made = notes.iter().filter(|note| note.starts_with("made")).count();
        assert_eq!(made, if setting == "FAILS" { 2 } else { 0 }, "{notes:?}");
    }
}

#[test]
fn a_destructor_may_panic_print_block_or_hang() {
    for runtime in RUNTIMES {
        for (way, told, note) in [
            ("panics", Some("Rude` panicked when it was dropped: a destructor panics, at "), None),
            ("prints", Some("a destructor prints"), None),
            ("blocks", None, Some("the destructor has blocked")),
            ("runtime", None, Some("the runtime is dropped")),
        ] {
            let place = Place::new();
            let mut server = place.start(|setup| on(runtime)(setup.env("RUDE", way)));
            server.close_input();
            assert!(server.wait().success());
            assert!(server.next().is_none(), "nothing but frames was written");
            place.assert_written(way);
            let stderr = server.final_stderr();
            assert!(told.is_none_or(|told| stderr.contains(told)), "{way} on {runtime:?}: {stderr}");
            let notes: Vec<_> = note.into_iter().chain(["returned"]).collect();
            assert_eq!(place.notes(), notes, "{way} on {runtime:?}");
        }
    }
}

#[test]
fn a_hanging_destructor_delays_the_end_by_five_seconds() {
    let place = Place::new();
    // It is dropped before the states that were given.
    let mut server = place.start(|setup| setup.env("RUDE", "hangs"));
    let start = Instant::now();
    server.close_input();
    assert!(server.wait_within(Duration::from_secs(12)).success());
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(place.notes(), ["returned"]);
    let told = server.final_stderr();
    assert!(told.contains("not dropped within 5s: the destructor of `runtimes::Rude` is still running"), "{told}");
    // A signal ends it at once.
    let place = Place::new();
    let mut server = place.start(|setup| setup.env("RUDE", "hangs"));
    let start = Instant::now();
    server.close_input();
    thread::sleep(Duration::from_millis(300));
    signal(&server, Signal::TERM);
    assert!(server.wait().success());
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn a_state_kept_by_a_task_is_reported() {
    let place = Place::new();
    let mut server = place.set(Server::setup("runtimes").env("KEPT", "")).start();
    start_serving(&mut server);
    let start = Instant::now();
    server.close_input();
    assert!(server.wait().success());
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    let told = server.final_stderr();
    assert!(told.contains("still use them: `runtimes::Noted<7>`"), "{told}");
    // The task ends with its runtime, and the state with the task.
    assert_eq!(place.notes(), ["returned", "kept dropped in a runtime"]);
}
