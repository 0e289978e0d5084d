//! Standard input, output and error of every kind: files, terminals, pipes, closed and shared descriptors.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, fstat};
use serde_json::{Value, json};

use crate::messages::{call, echo};
use crate::printing::be_noisy;
use crate::support::client::example;
use crate::support::{Folder, Revision, Server};

#[test]
fn files_serve_as_input_and_output() {
    let folder = Folder::new();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    let lines: Vec<String> = (0..64).map(|round| call(round, "noisy", json!({"round": round}))).collect();
    // The last line has no newline.
    std::fs::write(&input, lines.join("\n")).expect("a file can be written");
    let mut server = Server::setup("fixture")
        .input(std::fs::File::open(&input).expect("it was just written"), None)
        .output(std::fs::File::create(&output).expect("a file can be written"), None)
        .without_reading()
        .start();
    assert!(server.wait().success());
    let text = std::fs::read_to_string(&output).expect("frames are UTF-8");
    let mut ids: Vec<i64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("junk: {line}")))
        .map(|frame| frame["id"].as_i64().expect("an answer"))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..64).collect::<Vec<_>>());
}

#[test]
fn a_terminal_gets_help_and_can_be_used() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("its other side");
    let name = ptsname(&ours, Vec::new()).expect("its name").into_string().expect("UTF-8");
    let theirs = std::fs::File::options().read(true).write(true).open(name).expect("it opens");
    let mut modes = tcgetattr(&theirs).expect("modes");
    modes.local_modes -= LocalModes::ECHO;
    tcsetattr(&theirs, OptionalActions::Now, &modes).expect("no echo");

    let mut server = Server::setup("fixture").input(theirs, Some(ours)).start();
    server.wait_for_stderr("fixture");
    assert_eq!(server.exchange(&echo(1, "typed")).content_text(), "typed");
    // Control-D ends the input.
    server.send_bytes(&[4]);
    assert!(server.wait().success());
}

#[test]
fn stdout_and_stderr_may_be_the_same_pipe() {
    let (ours, theirs) = std::io::pipe().expect("a pipe");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" 2>&1"]).arg(example("fixture"));
    let mut server = Server::command(command).output(theirs, Some(ours.into())).start();
    be_noisy(&mut server, 64);
}

#[test]
fn closed_descriptors_do_not_stop_the_server() {
    // Descriptor 2, and then 0 and 1, where a frame cannot go anywhere but the process must end.
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" 2>&-"]).arg(example("fixture"));
    let mut server = Server::command(command).start();
    be_noisy(&mut server, 16);
    for closed in ["0<&-", "1>&-", "0<&- 1>&- 2>&-"] {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("exec \"$0\" {closed}")).arg(example("fixture"));
        let mut server = Server::command(command).start();
        server.close_input();
        server.wait_within(Duration::from_secs(10));
        assert!(!server.final_stderr().contains("panicked"));
    }
}

#[test]
fn a_child_process_inherits_no_protocol_stream() {
    let (input, our_input) = std::io::pipe().expect("a pipe");
    let (our_output, output) = std::io::pipe().expect("a pipe");
    let inode = |fd: &dyn AsFd| fstat(fd.as_fd()).expect("a pipe").st_ino;
    let inodes = [inode(&input), inode(&output)];
    let mut server =
        Server::setup("fixture").input(input, Some(our_input.into())).output(output, Some(our_output.into())).start();
    let listing = server.call("child_descriptors", json!({}));
    let listing = listing.content_text();
    assert!(listing.contains("/dev/null"), "descriptor 0: {listing}");
    for inode in inodes {
        assert!(!listing.contains(&format!("pipe:[{inode}]")), "{listing}");
    }
}

#[test]
fn inherited_descriptors_keep_their_flags() {
    let (input, our_input) = std::io::pipe().expect("a pipe");
    let (our_output, output) = std::io::pipe().expect("a pipe");
    let copies = [input.as_fd().try_clone_to_owned(), output.as_fd().try_clone_to_owned()];
    let copies = copies.map(|copy| copy.expect("a descriptor"));
    let flags = || copies.each_ref().map(|copy| fcntl_getfl(copy).expect("flags"));
    let before = flags();
    let mut server =
        Server::setup("fixture").input(input, Some(our_input.into())).output(output, Some(our_output.into())).start();
    server.exchange(&echo(1, "x"));
    assert_eq!(flags(), before);
}

#[test]
fn a_nonblocking_input_is_awaited_without_spinning() {
    let (input, our_input) = std::io::pipe().expect("a pipe");
    let flags = fcntl_getfl(&input).expect("flags");
    fcntl_setfl(&input, flags | OFlags::NONBLOCK).expect("flags can be set");
    let mut server = Server::setup("fixture").input(input, Some(our_input.into())).start();
    for n in 0..5 {
        thread::sleep(Duration::from_millis(20));
        assert_eq!(server.exchange(&echo(n, "x")).content_text(), "x");
    }
    // A waiting server sleeps: it must not spin on EAGAIN.
    let before = cpu_ticks(server.pid());
    thread::sleep(Duration::from_millis(300));
    assert!(cpu_ticks(server.pid()) - before <= 5);
    server.close_input();
    assert!(server.wait().success());
}

/// The CPU time of a process in hundredths of a second.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let number = |at: usize| fields[at].parse::<u64>().expect("a number");
    number(11) + number(12)
}

#[test]
fn a_nonblocking_output_loses_nothing() {
    let (our_output, output) = std::io::pipe().expect("a pipe");
    let flags = fcntl_getfl(&output).expect("flags");
    fcntl_setfl(&output, flags | OFlags::NONBLOCK).expect("flags can be set");
    let mut server = Server::setup("fixture").output(output, Some(our_output.into())).without_reading().start();
    for n in 0..8 {
        server.send(&call(n, "big", json!({"bytes": 100_000})));
    }
    thread::sleep(Duration::from_millis(100));
    server.start_reading();
    for n in 0..8 {
        assert_eq!(server.answer_to(&n.to_string()).content_text().len(), 100_000);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    for tool in ["echo", "sleep_ms"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let mut server = Server::setup("fixture").output(full, None).without_reading().start();
        server.send_unnoted((call(1, tool, json!({"text": "x", "ms": 1})) + "\n").as_bytes());
        // The client is still there.
        assert_eq!(server.wait_within(Duration::from_secs(10)).code(), Some(1));
        let stderr = server.final_stderr();
        assert!(stderr.contains("cannot write standard output: No space left on device"), "{stderr}");
    }
}

#[test]
fn an_input_that_cannot_be_read_is_an_error() {
    let folder = std::fs::File::open("/").expect("a folder can be opened");
    let mut server = Server::setup("fixture").input(folder, None).start();
    assert_eq!(server.wait_within(Duration::from_secs(10)).code(), Some(1));
    let stderr = server.final_stderr();
    assert!(stderr.contains("cannot read standard input: Is a directory"), "{stderr}");
}

/// A user may start a server by hand and pipe a request into it.
#[test]
fn a_request_piped_by_a_shell_gets_its_response() {
    let line = Revision::NEWEST.request(1, "tools/list", Value::Null);
    let mut child = Command::new(example("hello"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("stdin").write_all(line.as_bytes()).expect("it reads");
    let mut output = String::new();
    child.stdout.take().expect("stdout").read_to_string(&mut output).expect("UTF-8");
    assert!(output.ends_with('\n') && output.lines().count() == 1, "{output}");
    assert!(child.wait().expect("it ends").success());
}
