//! Hostile input of sockets. Tests of published advisories name them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fastmcp_rs::HttpConfig;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::client::{Request, Server, call, modern_with_meta};
use super::tools::{Seen, app, app_with};

/// CVE-2026-42559, CVE-2026-33252 and their like (CVE-2025-66414, CVE-2025-66416, CVE-2026-34742, CVE-2026-35568,
/// CVE-2026-63118; CVE-2026-34237, RUSTSEC-2026-0140): DNS rebinding, and pages of other sites. Each cell is a request to
/// a tool that counts; a refused one must not reach it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2026_42559_and_cve_2026_33252_host_origin_and_content_type_decide_before_the_body() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let port = server.address.port();
    let own = [
        "localhost".to_owned(),
        "127.0.0.1".into(),
        "[::1]".into(),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        "LOCALHOST".into(),
        "localhost.".into(),
        "localhost:1".into(),
    ];
    let foreign = [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "evil.localhost",
        "127.0.0.1.nip.io",
        "0.0.0.0",
        "127.0.0.2",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::]",
        "[::2]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
        "192.168.1.1",
        "10.0.0.1",
        "metadata.google.internal",
        "169.254.169.254",
        "localhost-evil",
        "xn--lcalhost-41a",
        "local_host",
        "a.b.c.d.e.f",
    ];
    let broken = [
        "",
        "localhost:",
        "localhost:abc",
        "localhost:99999",
        "localhost:+80",
        "localhost:080",
        "127.0.0.1:+80",
        "[::1]:+80",
        "user@localhost",
        "localhost@evil.example",
        "localhost/x",
        "localhost, evil.example",
        "localhost evil.example",
        "http://localhost",
        "::1",
        "[::1",
        "::1]",
        "localhost..",
        ".localhost",
        "localhost?",
        "localhost#x",
        "[localhost]",
    ];
    let hosts = own.iter().map(|host| (host.as_str(), 200));
    let hosts = hosts.chain(foreign.iter().map(|host| (*host, 403))).chain(broken.iter().map(|host| (*host, 400)));
    let hosts: Vec<_> = hosts.collect();
    // A page of the server itself has its host.
    const OWN: &str = "http://HOST";
    let origins = [
        (None, true),
        (Some(OWN), true),
        (Some("http://localhost:3000"), false),
        (Some("http://127.0.0.1:3000"), false),
        (Some("http://app.localhost"), false),
        (Some("null"), false),
        (Some("http://evil.example"), false),
        (Some("https://localhost.evil.example"), false),
        (Some("file://"), false),
        (Some("javascript://localhost"), false),
        (Some("vscode-webview://localhost"), false),
        (Some("http://localhost:+80"), false),
    ];
    let types = [
        (Some("application/json"), true),
        (Some("application/json; charset=utf-8"), true),
        (Some("text/plain"), false),
        (Some("application/x-www-form-urlencoded"), false),
        (Some("multipart/form-data; boundary=x"), false),
        (Some("text/plain; application/json"), false),
        (None, false),
    ];
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    let (mut cells, mut allowed) = (0, 0);
    for (host, host_status) in &hosts {
        for (origin, origin_is_good) in origins {
            for (content_type, type_is_good) in types {
                let mut request = call(1, "echo", json!({"text": "x"})).set("Host", host).without("Content-Type");
                if let Some(origin) = origin {
                    request = request.with("Origin", &origin.replace("HOST", host));
                }
                if let Some(content_type) = content_type {
                    request = request.with("Content-Type", content_type);
                }
                let expected = match (*host_status, origin_is_good, type_is_good) {
                    (200, true, true) => 200,
                    (200, true, false) => 415,
                    (200, false, _) => 403,
                    (refused, _, _) => refused,
                };
                let response = server.send(&request).await;
                assert_eq!(response.status, expected, "{host:?} {origin:?} {content_type:?}: {}", response.text());
                assert!(response.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
                *counts.entry(expected).or_default() += 1;
                cells += 1;
                allowed += usize::from(expected == 200);
                assert_eq!(seen.calls.load(Ordering::SeqCst), allowed, "a refused request reached the tool");
            }
        }
    }
    println!("matrix: {cells} cells, by status {counts:?}; the tool was called {allowed} times");
    assert!(cells >= 400);
    // No page may ask whether it may, and what a page cannot read it cannot send either.
    let preflight =
        Request::new("OPTIONS").with("Origin", "http://evil.example").with("Access-Control-Request-Method", "POST");
    assert_eq!(server.send(&preflight).await.status, 403);
    let own_page = preflight.set("Origin", "http://localhost");
    assert_eq!(server.send(&own_page).await.status, 405);
    let cross = call(1, "echo", json!({"text": "x"})).with("Sec-Fetch-Site", "cross-site");
    assert_eq!(server.send(&cross).await.status, 403);
}

/// Requests that two servers in a row would read differently (request smuggling).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ambiguous_message_lengths_are_refused() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let good = call(1, "echo", json!({"text": "x"}));
    let smuggled = String::from_utf8(call(2, "echo", json!({"text": "smuggled"})).bytes()).unwrap();
    let length = good.body.len();
    let body = String::from_utf8(good.body.clone()).unwrap();
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let head = |headers: &[&str]| {
        let mut head = String::from("POST /mcp HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in &good.headers {
            if name != "Host" {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        headers.iter().for_each(|header| head.push_str(&format!("{header}\r\n")));
        head + "\r\n"
    };
    let sized = format!("Content-Length: {length}");
    let sized = sized.as_str();
    let te = "Transfer-Encoding: chunked";
    // `Some`: the status of the one response. In no case may the following bytes be read as a request.
    let cases = [
        ("CL and TE", head(&[sized, te]) + &chunked + &smuggled, None),
        ("TE and CL", head(&[te, sized]) + &chunked + &smuggled, None),
        ("TE and a CL of nothing", head(&[te, "Content-Length: 0"]) + &chunked + &smuggled, None),
        ("two equal CL", head(&[sized, sized]) + &body, None),
        ("two different CL", head(&[sized, "Content-Length: 1"]) + &body + &smuggled, Some(400)),
        ("CL with a sign", head(&[&format!("Content-Length: +{length}")]) + &body, Some(400)),
        ("a negative CL", head(&["Content-Length: -1"]) + &body, Some(400)),
        ("CL in hex", head(&["Content-Length: 0x10"]) + &body, Some(400)),
        ("a list of CL", head(&[&format!("Content-Length: {length}, {length}")]) + &body, Some(400)),
        ("an unknown TE", head(&["Transfer-Encoding: cow"]) + &body, Some(400)),
        ("TE that does not end chunked", head(&["Transfer-Encoding: chunked, identity"]) + &chunked, Some(400)),
        ("a blank before the colon", head(&["Transfer-Encoding : chunked", sized]) + &body, Some(400)),
        ("a folded header", head(&["X: a\r\n b", sized]) + &body, Some(400)),
        ("bare LF line ends", head(&[sized]).replace("\r\n", "\n") + &body, Some(400)),
        ("a bare LF in a value", head(&["X: a\nY: b", sized]) + &body, Some(400)),
        ("a bare LF before TE", head(&[sized, "X: a\nTransfer-Encoding: chunked"]) + &body + &smuggled, Some(400)),
        ("a bare LF that ends the head", head(&[sized]).trim_end().to_owned() + "\r\n\n" + &body, Some(400)),
        ("a bare LF before the request", "\n".to_owned() + &head(&[sized]) + &body, Some(400)),
        ("NUL in a value", head(&["X: a\0b", sized]) + &body, Some(400)),
        ("CR in a value", head(&["X: a\rb", sized]) + &body, Some(400)),
        ("two hosts", head(&["Host: localhost", sized]) + &body, Some(400)),
        ("no host", head(&[sized]).replace("Host: localhost\r\n", "") + &body, Some(400)),
        (
            "another host in the target",
            head(&[sized]).replacen("/mcp", "http://evil.example/mcp", 1) + &body,
            Some(400),
        ),
        ("an unknown version", head(&[sized]).replacen("HTTP/1.1", "HTTP/1.9", 1) + &body, Some(400)),
        ("a bad chunk size", head(&[te]) + "xyz\r\n" + &body, Some(400)),
        ("a chunk size that overflows", head(&[te]) + "fffffffffffffffff\r\n" + &body, Some(400)),
    ];
    println!("smuggling: {} cases", cases.len());
    for (what, bytes, status) in cases {
        let before = seen.calls.load(Ordering::SeqCst);
        let mut connection = server.connect().await;
        connection.write(bytes.as_bytes()).await;
        let first = connection.response().await;
        let got = first.as_ref().map(|response| response.status);
        if let Some(status) = status {
            assert!(got == Some(status) || (got.is_none() && !what.contains("bare LF")), "{what}: {got:?}");
        }
        if what != "two equal CL" {
            assert!(connection.is_closed_within(Duration::from_secs(5)).await, "{what}: the connection stays open");
        }
        let calls = seen.calls.load(Ordering::SeqCst) - before;
        assert!(calls <= usize::from(got == Some(200)), "{what}: {calls} calls");
    }
    // Heads that come in two parts, where the line feed alone is all that the second one has, or what ends it.
    for (what, first, second) in [
        ("a bare LF that ends the head", head(&[sized]).trim_end().to_owned() + "\r\n", "\n"),
        ("a bare LF in the second part", head(&[sized]).trim_end().to_owned(), "\nX: y\r\n\r\n"),
    ] {
        let mut connection = server.connect().await;
        connection.write(first.as_bytes()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        connection.write(second.as_bytes()).await;
        let refused = timeout(Duration::from_secs(5), connection.response()).await;
        assert_eq!(refused.expect(what).expect(what).status, 400, "{what}");
        assert!(connection.is_closed_within(Duration::from_secs(5)).await, "{what}: the connection stays open");
    }
    // An absolute target that names this server is allowed by HTTP.
    let bytes = head(&[sized]).replacen("/mcp", "http://localhost/mcp", 1) + &body;
    assert_eq!(server.raw(bytes.as_bytes()).await.unwrap().status, 200);
    // Line feeds of a body are the body's, and what follows it is a head again.
    let mut connection = server.connect().await;
    let spaced = body.replacen('{', "{\n\n", 1);
    let request = head(&[&format!("Content-Length: {}", spaced.len())]) + &spaced;
    connection.write(request.repeat(2).as_bytes()).await;
    connection.write(request.replacen("\r\n", "\n", 1).as_bytes()).await;
    for status in [200, 200, 400] {
        assert_eq!(connection.response().await.unwrap().status, status);
    }
    assert!(connection.is_closed_within(Duration::from_secs(5)).await);
    // A chunked message is read or refused, and its connection closed.
    for (host, status) in [("localhost", 200), ("evil.example", 403)] {
        let mut connection = server.connect().await;
        let bytes = (head(&[te]) + &chunked).replacen("localhost", host, 1);
        connection.write(bytes.as_bytes()).await;
        let answer = connection.response().await.unwrap();
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")));
        assert!(connection.is_closed_within(Duration::from_secs(5)).await);
    }
}

/// CVE-2026-67432, CVE-2026-63658, GHSA-4x8c-5vv7-973f: a message takes a bounded amount of memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2026_67432_sizes_are_bounded() {
    let server = Server::start(app().http(HttpConfig::new().max_body(100_000))).await;
    let large = |length: usize| call(1, "echo", json!({"text": "x".repeat(length)}));
    assert_eq!(server.send(&large(90_000)).await.status, 200);
    let refused = server.send(&large(100_000)).await;
    assert_eq!((refused.status, refused.code()), (413, -32600));
    assert!(refused.json().get("id").is_none());
    // Even if the length is not declared.
    let body = large(200_000).body;
    let mut bytes = large(1).with("Transfer-Encoding", "chunked").head();
    for chunk in body.chunks(10_000) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    assert_eq!(server.raw(&bytes).await.unwrap().status, 413);
    // A length that is claimed costs nothing.
    let claimed = large(1).with("Content-Length", "99999999999").head();
    assert_eq!(server.raw(&claimed).await.unwrap().status, 413);
    // Heads.
    let many = (0..80).fold(large(1), |request, index| request.with(&format!("X-{index}"), "y"));
    assert_eq!(server.send(&many).await.status, 431);
    assert_eq!(server.send(&large(1).with("X", &"y".repeat(600_000))).await.status, 431);
    // Depth.
    let deep = format!("{}{}", "[".repeat(100_000 / 3), "]".repeat(100_000 / 3));
    assert_eq!(server.send(&Request::post(deep)).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_may_arrive_in_pieces() {
    let server = Server::start(app()).await;
    let request = call(1, "echo", json!({"text": "x".repeat(1_000)}));
    let (first, second) = request.body.split_at(500);
    // Two chunks at once: the second is there when the first is taken.
    let chunk = |text: &[u8]| [format!("{:x}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat();
    let body = [chunk(first), chunk(second), b"0\r\n\r\n".to_vec()].concat();
    let chunked = Request { body, ..request.clone() }.with("Transfer-Encoding", "chunked");
    assert_eq!(server.send(&chunked).await.status, 200);
    // The first half, and the second when the server waits for it.
    let mut halves = server.connect().await;
    halves.write(&[&request.head()[..], first].concat()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    halves.write(second).await;
    assert_eq!(halves.response().await.unwrap().status, 200);
    // All of it once the server asks for it.
    let mut polite = server.connect().await;
    let expecting =
        request.clone().with("Expect", "100-continue").with("Content-Length", &request.body.len().to_string());
    polite.write(&expecting.head()).await;
    let goes_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    assert_eq!(polite.takes(goes_on.len()).await, goes_on);
    polite.write(&request.body).await;
    assert_eq!(polite.response().await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_and_slow_connections_are_closed() {
    let config = HttpConfig::new()
        .header_read_timeout(Duration::from_millis(300))
        .body_read_timeout(Duration::from_millis(300))
        .idle_timeout(Duration::from_millis(400));
    let server = Server::start(app().http(config)).await;
    let within = Duration::from_secs(5);
    let request = call(1, "add", json!({"a": 1, "b": 2}));
    // Half a head, even in drops; half a body; silence; rest after a request.
    let mut half = server.connect().await;
    half.write(&request.head()[..20]).await;
    let mut silent = server.connect().await;
    let mut rested = server.connect().await;
    rested.write(&request.bytes()).await;
    assert_eq!(rested.response().await.unwrap().status, 200);
    let mut probed = server.connect().await;
    probed.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(probed.response().await.unwrap().status, 200);
    let mut body = server.connect().await;
    body.write(&request.with("X", "y").bytes()[..250]).await;
    assert_eq!(body.response().await.unwrap().status, 408);
    for (what, connection) in [
        ("half a head", &mut half),
        ("silence", &mut silent),
        ("rest", &mut rested),
        ("rest after a request without a body", &mut probed),
        ("half a body", &mut body),
    ] {
        assert!(connection.is_closed_within(within).await, "{what}");
    }
    let mut drops = server.connect().await;
    let start = Instant::now();
    let mut closed = false;
    for byte in call(1, "add", json!({"a": 1, "b": 2})).head() {
        drops.write(&[byte]).await;
        closed = drops.is_closed_within(Duration::from_millis(40)).await;
        if closed {
            break;
        }
    }
    assert!(closed && start.elapsed() < within, "{:?}", start.elapsed());
    // The timeout begins anew for each request, however quick its response, and rest is not slowness.
    let config =
        HttpConfig::new().header_read_timeout(Duration::from_millis(300)).idle_timeout(Duration::from_secs(20));
    let server = Server::start(app().http(config)).await;
    let mut quick = server.connect().await;
    for pause in [50, 50, 100, 100, 100, 100, 100, 700, 0] {
        quick.write(&call(1, "add", json!({"a": 1, "b": 2})).bytes()).await;
        assert_eq!(quick.response().await.expect("the connection lives").status, 200);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    // Behind a request a head may not take longer than elsewhere, though rest may.
    quick.write(b"POST /mcp HTTP/1.1\r\nHo").await;
    assert!(quick.is_closed_within(within).await, "half a head behind a request");
    // Rest is counted from the last request, however many came before.
    let rest = Duration::from_secs(1);
    let server = Server::start(app().http(HttpConfig::new().idle_timeout(rest).max_body(16 << 20))).await;
    let mut busy = server.connect().await;
    for _ in 0..4 {
        tokio::time::sleep(rest.mul_f64(0.55)).await;
        busy.write(&call(1, "add", json!({"a": 1, "b": 2})).bytes()).await;
        assert_eq!(busy.response().await.expect("the connection lives").status, 200);
    }
    let start = Instant::now();
    assert!(busy.is_closed_within(within).await && start.elapsed() >= rest.mul_f64(0.9), "{:?}", start.elapsed());
    // Nor does it begin before an answer has arrived, however slowly that is read.
    let long = "x".repeat(12 << 20);
    let mut reader = server.connect().await;
    reader.write(&call(1, "echo", json!({"text": long})).bytes()).await;
    let start = Instant::now();
    for _ in 0..12 {
        tokio::time::sleep(rest.mul_f64(0.3)).await;
        reader.takes(1 << 20).await;
    }
    assert!(start.elapsed() > 3 * rest);
    // Also where the answer was not there at once, and nothing was timed before.
    let mut waited = server.connect().await;
    waited.write(&call(1, "sleep", json!({"milliseconds": 20})).bytes()).await;
    assert_eq!(waited.response().await.unwrap().status, 200);
    let start = Instant::now();
    assert!(waited.is_closed_within(within).await && start.elapsed() >= rest.mul_f64(0.9), "{:?}", start.elapsed());
    // A call may take longer than all of these.
    let slow = server.send(&call(1, "sleep", json!({"milliseconds": 1200}))).await;
    assert_eq!(slow.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_streams_and_connections_beyond_their_limits_are_refused() {
    let seen = Seen::default();
    let config = HttpConfig::new().max_calls(4).max_streams(2).max_connections_per_address(20);
    let server = Server::start(app_with(seen.clone()).http(config)).await;
    let sleep = call(1, "sleep", json!({"milliseconds": 60_000}));
    let mut sleeping = Vec::new();
    for _ in 0..4 {
        let mut connection = server.connect().await;
        connection.write(&sleep.bytes()).await;
        sleeping.push(connection);
    }
    super::modern::wait_until(|| seen.calls.load(Ordering::SeqCst) == 4).await;
    let refused = server.send(&sleep).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    drop(sleeping);
    super::modern::wait_until(|| seen.dropped.load(Ordering::SeqCst) == 4).await;
    let listen = super::client::modern(
        1,
        "subscriptions/listen",
        json!({"notifications": {"resourceSubscriptions": ["note://one"]}}),
    );
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut connection = server.connect().await;
        connection.write(&listen.bytes()).await;
        assert_eq!(connection.response_head().await.unwrap().status, 200);
        streams.push(connection);
    }
    assert_eq!(server.send(&listen).await.status, 503);
    assert_eq!(server.send(&call(1, "add", json!({"a": 1, "b": 2}))).await.status, 200);
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(server.connect().await);
    }
    assert!(server.connect().await.is_closed_within(Duration::from_secs(5)).await);
}

/// Half heads, slow bodies and clients that do not read, all at once, and one that behaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_do_not_delay_others() {
    // As many as there are descriptors for, at both ends.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(1024);
    let each = usize::try_from(limit.saturating_sub(300) / 6).unwrap_or(500).min(500);
    let server =
        Server::start(app().http(HttpConfig::new().max_connections(4 * each + 64).max_calls(4 * each + 64))).await;
    let request = call(1, "echo", json!({"text": "x"}));
    let many =
        modern_with_meta(1, "tools/call", json!({"name": "talk", "arguments": {}}), json!({"progressToken": "p"}));
    let mut slow = Vec::new();
    for _ in 0..each {
        for bytes in [&request.head()[..30], &request.bytes()[..request.head().len() + 5], &many.bytes()[..]] {
            let mut connection = server.connect_deaf().await;
            connection.write(bytes).await;
            slow.push(connection);
        }
    }
    let mut good = server.connect().await;
    let mut times = Vec::new();
    for _ in 0..1000 {
        let start = Instant::now();
        good.write(&request.bytes()).await;
        assert_eq!(good.response().await.unwrap().status, 200);
        times.push(start.elapsed());
    }
    times.sort();
    let (median, p99) = (times[500], times[990]);
    println!("slow clients: {} beside a good one, whose median is {median:?} and p99 {p99:?}", slow.len());
    assert!(p99 < Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 100 }), "{p99:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_disconnected() {
    let server = Server::start(app().http(HttpConfig::new().write_timeout(Duration::from_millis(300)))).await;
    let mut deaf = server.connect_deaf().await;
    deaf.write(&call(1, "much", json!({"bytes": 30_000_000})).bytes()).await;
    deaf.stream.readable().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // The bytes that the system had taken arrive, and then the end, much too early.
    let mut read = 0;
    while let Ok(1..) = deaf.stream.readable().await.and_then(|()| {
        deaf.stream
            .try_read(&mut [0; 65536])
            .or_else(|error| if error.kind() == std::io::ErrorKind::WouldBlock { Ok(1) } else { Err(error) })
            .inspect(|count| read += count)
    }) {}
    assert!(read < 25_000_000, "{read}");
    assert_eq!(server.send(&call(1, "add", json!({"a": 1, "b": 2}))).await.status, 200);
}

/// CVE-2026-25536, CVE-2026-48529: what one client sends never reaches another, though all use the same ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2026_25536_clients_are_isolated() {
    let server = Arc::new(Server::start(app()).await);
    let calls = if cfg!(debug_assertions) { 200 } else { 1600 };
    let clients: Vec<_> = (0..64)
        .map(|client| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let mut connection = server.connect().await;
                let mut leaks = 0;
                for id in 0..calls {
                    let secret = format!("secret of {client} in {id}");
                    let tool = if id % 3 == 0 { "echo_later" } else { "echo" };
                    connection.write(&call(id, tool, json!({"text": secret})).bytes()).await;
                    let answer = connection.response().await.unwrap().json();
                    assert_eq!(answer["id"], id);
                    leaks += usize::from(answer["result"]["content"][0]["text"] != secret);
                }
                leaks
            })
        })
        .collect();
    let mut leaks = 0;
    for client in clients {
        leaks += client.await.unwrap();
    }
    println!("isolation: 64 clients, {} calls, {leaks} leaks", 64 * calls);
    assert_eq!(leaks, 0);
}

/// CVE-2025-53366, CVE-2025-53365, CVE-2026-47427: no message ends the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2025_53366_no_message_ends_the_server() {
    let server = Server::start(app()).await;
    let good = call(1, "add", json!({"a": 1, "b": 2}));
    let original: Value = serde_json::from_slice(&good.body).unwrap();
    let mut sent = 0;
    for junk in [json!(null), json!([]), json!({}), json!(1e308), json!("\u{0}"), json!(-1), json!(true)] {
        for pointer in [
            "",
            "/jsonrpc",
            "/id",
            "/method",
            "/params",
            "/params/name",
            "/params/arguments",
            "/params/_meta",
            "/params/arguments/a",
        ] {
            let mut body = original.clone();
            *body.pointer_mut(pointer).unwrap() = junk.clone();
            let response = server.send(&Request { body: body.to_string().into_bytes(), ..good.clone() }).await;
            assert!(matches!(response.status, 200 | 202 | 400 | 404), "{body}: {}", response.status);
            sent += 1;
        }
    }
    for end in 0..good.body.len() {
        let response = server.send(&Request { body: good.body[..end].to_vec(), ..good.clone() }).await;
        assert_eq!((response.status, response.code()), (400, -32700), "{end}");
        sent += 1;
    }
    println!("malformed: {sent} messages");
    assert_eq!(server.send(&good).await.status, 200);
}
