//! What must never happen: junk on the wire, a lost request, a hang, a process left behind.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::client::{PATIENCE, example};
use crate::support::{Folder, Revision, Server};

fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> String {
    Revision::NEWEST.request(id, "tools/call", json!({"name": tool, "arguments": arguments}))
}

fn echo(id: impl Into<Value>, text: &str) -> String {
    call(id, "echo", json!({"text": text}))
}

fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid() as i32).expect("a process id");
    kill_process(pid, signal).expect("the server is there");
}

/// Calls the noisy tool that often, all at once, and expects every answer and nothing else.
///
/// The harness refuses whatever is not a frame, so an answer that arrives proves clean bytes before it.
fn be_noisy(server: &mut Server, rounds: u64) {
    let lines: Vec<String> = (0..rounds).map(|round| call(round, "noisy", json!({"round": round}))).collect();
    for some in lines.chunks(20) {
        server.send(&some.join("\n"));
    }
    for round in 0..rounds {
        let answer = server.answer_to(&round.to_string());
        assert_eq!(answer.is_tool_error(), round % 8 == 7, "{}", answer.text);
        if round % 8 != 7 {
            assert_eq!(answer.content_text(), round.to_string());
        }
    }
    server.assert_quiet();
}

#[test]
fn the_print_trap_is_closed() {
    let mut server = Server::start("fixture");
    be_noisy(&mut server, 1_000);
    server.close_input();
    assert!(server.wait().success());
    assert!(server.next().is_none(), "nothing after the last answer either");
    let stderr = server.final_stderr();
    for text in ["println! of round 0", "println! of round 998", "print! without a newline", "printf of a child"] {
        assert!(stderr.contains(text), "{text:?} is on stderr");
    }
}

#[test]
fn the_print_trap_is_closed_under_every_policy() {
    for policy in ["log", "discard"] {
        let mut server = Server::setup("fixture").env("FIXTURE_STDOUT", policy).start();
        be_noisy(&mut server, 64);
        server.close_input();
        assert!(server.wait().success());
        let kept = server.final_stderr().contains("println! of round 0");
        assert_eq!(kept, policy == "log");
    }
}

#[test]
fn the_print_trap_is_closed_on_one_socket() {
    // Node gives its children sockets, and here one is both input and output.
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let clone = |socket: &UnixStream| -> OwnedFd { socket.try_clone().expect("a descriptor").into() };
    let mut server = Server::setup("fixture")
        .input(clone(&theirs), Some(clone(&ours)))
        .output(clone(&theirs), Some(clone(&ours)))
        .start();
    drop(theirs);
    be_noisy(&mut server, 64);
    server.close_input();
    ours.shutdown(std::net::Shutdown::Write).expect("the socket is open");
    assert!(server.wait().success());
    assert!(server.next().is_none());
}

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
fn a_terminal_gets_help_and_works() {
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
fn a_child_of_a_tool_holds_no_end_of_the_wire() {
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
fn an_input_that_does_not_block_is_waited_for() {
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
fn an_output_that_does_not_block_loses_nothing() {
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
fn panics_are_answers() {
    let mut server = Server::start("fixture");
    let tools = ["panic_now", "panic_later", "panic_blocking", "echo"];
    for n in 0..100 {
        server.send(&call(n, tools[n % 4], json!(if n % 4 == 3 { json!({"text": "x"}) } else { json!({}) })));
    }
    for n in 0..100 {
        let answer = server.answer_to(&n.to_string());
        assert_eq!(answer.is_tool_error(), n % 4 != 3, "{}", answer.text);
    }
}

#[test]
fn an_idle_server_ends_with_its_input() {
    let took = (0..5).map(|_| {
        let mut server = Server::start("hello");
        server.exchange(&call(1, "hello", json!({"name": "x"})));
        server.close_input();
        let start = Instant::now();
        assert!(server.wait().success());
        start.elapsed()
    });
    let best = took.min().expect("five of them");
    assert!(best < Duration::from_millis(100), "{best:?}");
}

#[test]
fn signals_end_an_idle_server_at_once() {
    for kind in [Signal::TERM, Signal::INT] {
        let took = (0..5).map(|_| {
            let mut server = Server::start("hello");
            server.exchange(&call(1, "hello", json!({"name": "x"})));
            let start = Instant::now();
            signal(&server, kind);
            let status = server.wait();
            assert!(status.success(), "{status}");
            start.elapsed()
        });
        let best = took.min().expect("five of them");
        assert!(best < Duration::from_millis(200), "{best:?}");
    }
}

#[test]
fn calls_in_flight_are_finished_first() {
    for ending in [None, Some(Signal::TERM), Some(Signal::INT)] {
        let mut server = Server::start("fixture");
        let id = server.begin_call("sleep_ms", json!({"ms": 400}));
        let blocked = server.begin_call("block_ms", json!({"ms": 400}));
        server.call("echo", json!({"text": "both have begun"}));
        match ending {
            None => server.close_input(),
            Some(kind) => signal(&server, kind),
        }
        assert_eq!(server.answer_to(&id).content_text(), "400");
        assert_eq!(server.answer_to(&blocked).content_text(), "400");
        assert!(server.wait().success());
        assert!(server.next().is_none());
    }
}

#[test]
fn calls_that_wait_for_others_are_finished_too() {
    // More than run at a time, all of them sent before the input ends.
    const CALLS: u64 = 600;
    let mut server = Server::start("fixture");
    let lines: Vec<String> = (0..CALLS).map(|n| call(n, "sleep_ms", json!({"ms": n % 40})) + "\n").collect();
    server.send_bytes(lines.concat().as_bytes());
    server.close_input();
    for n in 0..CALLS {
        assert_eq!(server.answer_to(&n.to_string()).content_text(), (n % 40).to_string());
    }
    assert!(server.next().is_none());
    assert!(server.wait().success());
}

#[test]
fn calls_that_never_end_are_given_a_grace() {
    for ending in [None, Some(Signal::TERM)] {
        let mut server = Server::start("fixture");
        server.begin_call("wait_forever", json!({}));
        server.begin_call("block_ms", json!({"ms": 600_000}));
        server.call("echo", json!({"text": "both have begun"}));
        let start = Instant::now();
        match ending {
            None => server.close_input(),
            Some(kind) => signal(&server, kind),
        }
        server.wait_within(Duration::from_secs(10));
        let took = start.elapsed();
        assert!(took > Duration::from_secs(4) && took < Duration::from_secs(8), "{took:?}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start("fixture");
    server.begin_call("wait_forever", json!({}));
    server.call("echo", json!({"text": "it has begun"}));
    signal(&server, Signal::TERM);
    thread::sleep(Duration::from_millis(300));
    assert!(server.is_running(), "the first one waits for the call");
    let start = Instant::now();
    signal(&server, Signal::TERM);
    server.wait();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_client_that_is_gone_ends_it() {
    let mut server = Server::setup("fixture").without_reading().start();
    drop(server.take_output());
    for n in 0..3 {
        server.note(echo(n, "x").as_bytes());
        // It may have ended at the first of them.
        let _ = server.try_send((echo(n, "x") + "\n").as_bytes());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(server.wait_within(Duration::from_secs(8)).success(), "that is how every server ends");
    let stderr = server.final_stderr();
    assert!(!stderr.contains("panicked"), "{stderr}");
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
        assert!(stderr.contains("standard output cannot be written: No space left on device"), "{stderr}");
    }
}

#[test]
fn an_input_that_cannot_be_read_is_an_error() {
    let folder = std::fs::File::open("/").expect("a folder can be opened");
    let mut server = Server::setup("fixture").input(folder, None).start();
    assert_eq!(server.wait_within(Duration::from_secs(10)).code(), Some(1));
    let stderr = server.final_stderr();
    assert!(stderr.contains("standard input cannot be read: Is a directory"), "{stderr}");
}

#[test]
fn an_idle_server_gives_back_the_room_of_large_messages() {
    let mut server = Server::start("fixture");
    server.exchange(&echo(1, "x"));
    let before = server.resident();
    server.exchange(&echo(2, &"x".repeat(12 << 20)));
    let most = server.resident() - before;
    assert!(most > 16 << 10, "the rest of the test would show nothing: {most} KiB");
    let start = Instant::now();
    // Room that the allocator keeps is not the server's.
    while server.resident() - before > 6 << 10 {
        assert!(start.elapsed() < Duration::from_secs(30), "{} KiB are kept", server.resident() - before);
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_parent_that_is_gone_is_noticed() {
    // The shell starts the server and dies, while this test keeps the pipes open.
    let mut command = Command::new("sh");
    command.args(["-c", "exec 3<&0; \"$0\" <&3 & sleep 0.5"]).arg(example("fixture"));
    let mut server = Server::command(command).start();
    server.exchange(&echo(1, "x"));
    server.wait();
    let start = Instant::now();
    // The end of the output is the end of the server, which is nobody's child here.
    assert!(server.next().is_none());
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
}

/// Sends requests that the client does not read the answers of, until the server takes no more; then
/// reads them all. Returns how many requests were taken unread, and what that cost in KiB.
fn read_late(lines: Vec<String>, bytes: usize) -> (usize, u64) {
    let mut server = Server::setup("fixture").without_reading().start();
    for line in &lines {
        server.note(line.as_bytes());
    }
    let calls = lines.len();
    thread::sleep(Duration::from_millis(100));
    let before = server.resident();
    let mut input = server.take_input();
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let writer = thread::spawn(move || {
        for line in lines {
            input.write_all(line.as_bytes()).expect("the server reads");
            counter.fetch_add(1, Ordering::Relaxed);
        }
        // Open until the end: after the input, a server does not wait for its reader for ever.
        input
    });
    // It reads until its queues are full, and then no further.
    let mut taken = usize::MAX;
    loop {
        thread::sleep(Duration::from_millis(400));
        let now = sent.load(Ordering::Relaxed);
        if now == taken {
            break;
        }
        taken = now;
    }
    let grown = server.resident().saturating_sub(before);
    server.start_reading();
    for n in 0..calls {
        assert_eq!(server.answer_to(&n.to_string()).content_text().len(), bytes);
    }
    drop(writer.join().expect("everything was sent"));
    (taken, grown)
}

#[test]
fn a_slow_reader_costs_bounded_memory_and_loses_nothing() {
    let text = "x".repeat(8_000);
    let (taken, grown) = read_late((0..8_000).map(|n| echo(n, &text) + "\n").collect(), 8_000);
    assert!(taken < 8_000, "the server swallowed everything");
    // Beside what waits to be written there are the calls in flight and what the allocator keeps of them.
    assert!(grown < 40 * 1024, "a client that does not read cost {grown} KiB");
}

#[test]
fn late_answers_to_a_slow_reader_cost_bounded_memory_and_are_not_lost() {
    // Small requests, of which many may wait, with answers that tasks and threads make: 64 MiB of them.
    for tool in ["late_big", "blocking_big"] {
        let lines = (0..2_000).map(|n| call(n, tool, json!({"bytes": 32_000})) + "\n").collect();
        let (_, grown) = read_late(lines, 32_000);
        assert!(grown < 40 * 1024, "{tool}: a client that does not read cost {grown} KiB");
    }
}

#[test]
fn a_stderr_that_nobody_reads_holds_up_no_call() {
    let (_unread, theirs) = std::io::pipe().expect("a pipe");
    let mut server = Server::setup("fixture").stderr(theirs).start();
    // Each of these logs a line, far more than a pipe holds.
    for n in 0..3_000 {
        assert!(server.exchange(&call(n, "fail_inside", json!({}))).is_tool_error());
    }
    server.close_input();
    assert!(server.wait().success());
}

#[test]
fn frames_are_never_mixed() {
    // Answers of many sizes, from the reader, from tasks and from blocking threads, into a full pipe.
    let mut server = Server::setup("fixture").without_reading().start();
    let mut expected = Vec::new();
    for n in 0..60 {
        expected.push((server.begin_call("big", json!({"bytes": n * 1_000 + 1})), n * 1_000 + 1));
        expected.push((server.begin_call("late_big", json!({"bytes": n * 700 + 1})), n * 700 + 1));
        expected.push((server.begin_call("blocking_big", json!({"bytes": n * 300 + 1})), n * 300 + 1));
    }
    thread::sleep(Duration::from_millis(200));
    server.start_reading();
    for (id, bytes) in expected {
        assert_eq!(server.answer_to(&id).content_text().len(), bytes);
    }
}

#[test]
fn a_big_answer_and_a_big_argument_pass() {
    let mut server = Server::start("fixture");
    let text = "ä".repeat(2_000_000);
    assert_eq!(server.call("echo", json!({"text": text})).content_text(), text);
    assert_eq!(server.call("big", json!({"bytes": 5_000_000})).content_text().len(), 5_000_000);
}

#[test]
fn answers_that_are_ready_do_not_wait_for_all_calls_that_came_with_them() {
    let mut server = Server::start("fixture");
    // All of them are there before the server reads for the first time.
    let mut lines: Vec<String> = (0..63).map(|id| echo(id, "quick")).collect();
    lines.push(call("slow", "hog", json!({"ms": 60_000})));
    server.send(&lines.join("\n"));
    assert_eq!(server.answer_to("0").content_text(), "quick");
}

#[test]
fn many_servers_start_and_stop() {
    for round in 0..20 {
        let mut server = Server::start("hello");
        if round % 2 == 0 {
            server.exchange(&call(1, "hello", json!({"name": "x"})));
        }
        if round % 3 == 0 {
            signal_when_ready(&mut server);
        } else {
            server.close_input();
        }
        assert!(server.wait_within(PATIENCE).success(), "round {round}");
    }
}

fn signal_when_ready(server: &mut Server) {
    // Before it has installed its handlers, the signal's default action would end it.
    server.exchange(&Revision::NEWEST.request("ready", "server/discover", Value::Null));
    signal(server, Signal::TERM);
}

/// What a user sees who starts a server by hand and pipes something into it.
#[test]
fn a_shell_pipe_works() {
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
