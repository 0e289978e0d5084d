//! Several processes behind one address: any of them serves any request, whichever served the one before.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::client::{Server, modern_with_meta};
use super::processes::Process;
use super::support::client::example;

/// Two keys of 32 bytes, as Base64.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const OTHER_KEY: &str = "QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ=";

/// One process of two.
fn replica(key: &str) -> Process {
    let mut command = Command::new(example("everything"));
    command.args(["--http", "127.0.0.1:0"]).env("REPLICAS", "2").env("SEALING_KEY", key);
    Process::spawn(&mut command)
}

/// A reverse proxy that gives each request to the next server.
struct Proxy {
    server: Server,
    /// The requests that each server got.
    given: Arc<[AtomicUsize]>,
}

impl Proxy {
    async fn start(servers: Vec<SocketAddr>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::at(listener.local_addr().unwrap());
        let given: Arc<[AtomicUsize]> = servers.iter().map(|_| AtomicUsize::new(0)).collect();
        let counted = Arc::clone(&given);
        tokio::spawn(async move {
            for next in (0..servers.len()).cycle() {
                let (client, _) = listener.accept().await.unwrap();
                counted[next].fetch_add(1, Ordering::SeqCst);
                tokio::spawn(forward(client, servers[next]));
            }
        });
        Proxy { server, given }
    }

    fn given(&self) -> Vec<usize> {
        self.given.iter().map(|count| count.load(Ordering::SeqCst)).collect()
    }

    /// Plays one round of a call, and returns the server that got it.
    async fn round(&self, params: Value) -> (Value, usize) {
        let before = self.given();
        let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
        let response = self.server.send(&modern_with_meta(1, "tools/call", params, meta)).await;
        let after = self.given();
        let server = (0..after.len()).find(|&index| after[index] > before[index]).expect("some server was asked");
        (response.answer("tools/call"), server)
    }
}

/// Forwards one request to a server, with `Connection: close`, and its response to the client.
async fn forward(mut client: TcpStream, server: SocketAddr) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    head.extend_from_slice(b"Connection: close\r\n");
    let mut server = TcpStream::connect(server).await.unwrap();
    server.write_all(&head).await.unwrap();
    // Either side may close first.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// Calls a tool that asks something in each round, and answers until it is done. Returns what it says, and to which
/// servers its rounds went.
async fn play(proxy: &Proxy, tool: &str, contents: &[Value]) -> (Value, Vec<usize>) {
    let (mut answer, server) = proxy.round(json!({"name": tool, "arguments": {}})).await;
    let mut servers = vec![server];
    for content in contents {
        assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
        let asked = answer["result"]["inputRequests"].as_object().unwrap();
        let responses = asked.keys().map(|key| (key.clone(), json!({"action": "accept", "content": content})));
        let params = json!({
            "name": tool, "arguments": {}, "requestState": answer["result"]["requestState"],
            "inputResponses": responses.collect::<serde_json::Map<_, _>>(),
        });
        let (next, server) = proxy.round(params).await;
        servers.push(server);
        answer = next;
        if answer.get("error").is_some() {
            break;
        }
    }
    (answer, servers)
}

const NAME_THEN_COLOR: &str = "test_input_required_result_multi_round";
const WITH_STATE: &str = "test_input_required_result_request_state";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_with_one_key_continue_each_others_rounds() {
    let replicas = [replica(KEY), replica(KEY)];
    let proxy = Proxy::start(replicas.iter().map(|replica| replica.server.address).collect()).await;
    let answers = [json!({"name": "Ada"}), json!({"color": "green"})];
    // Three requests each, so that every second play begins at the other process.
    for play_number in 0..4 {
        let (answer, servers) = play(&proxy, NAME_THEN_COLOR, &answers).await;
        let first = play_number % 2;
        assert_eq!(servers, [first, 1 - first, first], "each round went to the process that had not asked");
        let text = &answer["result"]["content"][0]["text"];
        assert_eq!(
            text, "action=accept, content={\"name\":\"Ada\"}; action=accept, content={\"color\":\"green\"}",
            "{answer}"
        );
    }
    // A value that one process remembered is known to the other.
    let (answer, servers) = play(&proxy, WITH_STATE, &[json!({"ok": true})]).await;
    assert_eq!(servers, [0, 1]);
    assert_eq!(answer["result"]["content"][0]["text"], "state-ok: action=accept, content={\"ok\":true}", "{answer}");
    println!("replicas: two processes were given {:?} requests in turns", proxy.given());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_with_different_keys_refuse_each_others_states() {
    let replicas = [replica(KEY), replica(OTHER_KEY)];
    let proxy = Proxy::start(replicas.iter().map(|replica| replica.server.address).collect()).await;
    for (tool, content) in [(NAME_THEN_COLOR, json!({"name": "Ada"})), (WITH_STATE, json!({"ok": true}))] {
        let (answer, servers) = play(&proxy, tool, &[content]).await;
        assert_ne!(servers[0], servers[1]);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        // The error is that of a forged state.
        let made_up = json!({"name": tool, "arguments": {}, "requestState": "v1.x", "inputResponses": {}});
        assert_eq!(answer["error"], proxy.round(made_up).await.0["error"]);
    }
}

#[test]
fn processes_without_a_key_do_not_start() {
    let mut command = Command::new(example("everything"));
    command.args(["--http", "127.0.0.1:0"]).env("REPLICAS", "2").env_remove("SEALING_KEY");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("App::sealing_keys"), "{}: {text}", output.status);
}
