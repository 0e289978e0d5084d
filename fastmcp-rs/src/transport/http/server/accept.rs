//! The accept loop of the HTTP server: it accepts connections, enforces the limits on them, and shuts them down.
//!
//! The crate has its own loop, because a public server must close connections that are silent, slow or over a limit.
//! `connection` serves each accepted connection.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::super::limits::{GlobalPermit, PeerLimit};
use super::super::peer::{ClientAddress, Peer};
use super::front::{HttpConnection, HttpServer};
use super::listener::Listener;
use super::timeouts::ConnectionTimeouts;
use crate::util::operator_log;

/// The pause before the next `accept` after the system lacked resources; it doubles up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The upper bound of every timeout: longer than any wait, and short enough to be added to an `Instant`.
const NO_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The time that cancelled calls and connections get to end.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves until `stop` is ready. Then it accepts no more connections, and returns when the running requests have ended
/// or the shutdown timeout has passed.
pub(crate) async fn serve<L: Listener>(listener: L, front: HttpServer, stop: impl Future<Output = ()>) {
    let service = front.site.service.clone();
    let config = service.shared.config.clone();
    let [header, idle, write] =
        [config.header_read_timeout, config.idle_timeout, config.write_timeout].map(|time| time.min(NO_TIMEOUT));
    let timeouts = ConnectionTimeouts { header, idle, write };
    let (stopping, stopped) = watch::channel(false);
    let connected = HttpConnection { front, timeouts, stopped };
    let connections = Arc::clone(&service.shared.connections);
    let addresses = config.max_connections_per_address.map(PeerLimit::new);
    let proxies = &service.shared.proxies;
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = poll_fn(|task| match stop.as_mut().poll(task) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => listener.poll_accept(task).map(Some),
        })
        .await;
        while tasks.try_join_next().is_some() {}
        let (stream, peer) = match accepted {
            None => break,
            Some(Ok(accepted)) => accepted,
            Some(Err(error)) if is_connection_error(&error) => continue,
            Some(Err(error)) => {
                // The usual cause is too many open files: an immediate retry would only burn CPU time.
                operator_log::warn(format_args!("cannot accept connections: {error}; trying again in {pause:?}"));
                if tokio::time::timeout(pause, stop.as_mut()).await.is_ok() {
                    break;
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = FIRST_PAUSE;
        let Some(counted) = GlobalPermit::new(&connections, config.max_connections) else {
            service.count_refused_connection();
            continue;
        };
        let of_address = match (&addresses, peer) {
            (Some(addresses), Some(peer)) if !proxies.trusts(peer.ip()) => {
                match addresses.try_acquire(Peer::from_address(peer.ip())) {
                    Some(counted) => Some(counted),
                    None => {
                        service.count_refused_connection();
                        continue;
                    }
                }
            }
            _ => None,
        };
        let mut connected = connected.clone();
        let client = peer.map_or(ClientAddress::UnixSocket, ClientAddress::Direct);
        connected.front.site.service.client = client;
        tasks.spawn(connected.serve(stream, (counted, of_address)));
    }
    drop((listener, connected));
    service.close();
    let _ = stopping.send(true);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(config.graceful_shutdown_timeout, drained).await.is_err() {
        let cut = [(service.calls(), "request", "cancelled"), (tasks.len(), "connection", "closed")];
        let cut: Vec<_> = cut.iter().filter(|(count, ..)| *count > 0).map(|cut| describe_cut_off(*cut)).collect();
        operator_log::warn(format_args!(
            "the shutdown took longer than {:?}: {}",
            config.graceful_shutdown_timeout,
            cut.join(", ")
        ));
    }
    service.shared.end_sessions();
    // Cancelled calls of sessions are answered with an error.
    let _ = tokio::time::timeout(CANCEL_TIMEOUT, async { while tasks.join_next().await.is_some() {} }).await;
    tasks.shutdown().await;
    // HTTP/2 streams are separate tasks, which end by themselves after their connection.
    let _ = tokio::time::timeout(CANCEL_TIMEOUT, stopping.closed()).await;
    service.end().await;
}

/// Describes, for the log, the number of messages or connections that the shutdown cut off.
fn describe_cut_off((count, what, how): (usize, &str, &str)) -> String {
    match count {
        1 => format!("1 {what} was {how}"),
        _ => format!("{count} {what}s were {how}"),
    }
}

/// Returns whether an error of `accept` concerns only the connection that was being accepted.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Returns a future that is ready when the process receives SIGTERM, SIGINT or SIGHUP, or Ctrl-C on Windows. A second
/// signal ends the process at once.
pub(crate) async fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
        let mut signals = Vec::new();
        for kind in kinds {
            signals.push(signal(kind)?);
        }
        let waiting = second_signal::SignalWait::register(&kinds.map(|kind| kind.as_raw_value()))?;
        Ok(async move {
            poll_fn(|task| match signals.iter_mut().any(|signal| signal.poll_recv(task).is_ready()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            drop(waiting);
        })
    }
    #[cfg(windows)]
    {
        let mut console = crate::platform::console::ConsoleEvents::new()?;
        Ok(async move {
            console.next().await;
            tokio::spawn(async move {
                console.next().await;
                std::process::exit(0);
            });
        })
    }
}

/// Restores the default action of signals once the process is shutting down or its servers have ended. The signal
/// handler does this itself, because request handlers may occupy all threads.
#[cfg(unix)]
mod second_signal {
    use crate::util::sync::Mutex;
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Set while a signal ends the process at once.
    static IS_SHUTTING_DOWN: AtomicBool = AtomicBool::new(false);
    static SERVERS: Mutex<SignalWaiters> = Mutex::new(SignalWaiters { waiting: 0, is_registered: false });

    struct SignalWaiters {
        /// The number of servers that wait for a signal.
        waiting: usize,
        is_registered: bool,
    }

    /// A server that waits for a signal.
    pub(crate) struct SignalWait(());

    impl SignalWait {
        pub(crate) fn register(signals: &[i32]) -> io::Result<SignalWait> {
            let mut servers = SERVERS.lock();
            if !servers.is_registered {
                for signal in signals {
                    // The order matters: reversed, the first signal would already end the process.
                    signal_hook::flag::register_conditional_default(*signal, &IS_SHUTTING_DOWN)?;
                    signal_hook::flag::register(*signal, &IS_SHUTTING_DOWN)?;
                }
                servers.is_registered = true;
            }
            if servers.waiting == 0 {
                IS_SHUTTING_DOWN.store(false, Ordering::SeqCst);
            }
            servers.waiting += 1;
            Ok(SignalWait(()))
        }
    }

    impl Drop for SignalWait {
        fn drop(&mut self) {
            let mut servers = SERVERS.lock();
            servers.waiting -= 1;
            if servers.waiting == 0 {
                IS_SHUTTING_DOWN.store(true, Ordering::SeqCst);
            }
        }
    }
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::super::super::{HttpConfig, Site, Tls};
    use super::*;
    use crate::App;

    #[tokio::test]
    async fn an_unfinished_handshake_does_not_delay_the_shutdown() {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let no_names = Arc::new(rustls::server::ResolvesServerCertUsingSni::new());
        let tls = Tls::new(Arc::new(config.with_no_client_auth().with_cert_resolver(no_names)));
        let app = App::empty("ending").http(HttpConfig::new().header_read_timeout(Duration::from_secs(60)));
        let front = HttpServer {
            site: Site::new(app.into_service().await.unwrap(), None),
            tls: Some(tls.build_acceptor().unwrap()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ask, asked) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(serve(listener, front, async { drop(asked.await) }));
        let mut clients = Vec::new();
        for bytes in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01"] {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(bytes).await.unwrap();
            clients.push(client);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let start = Instant::now();
        ask.send(()).unwrap();
        server.await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        for mut client in clients {
            assert!(matches!(client.read(&mut [0; 8]).await, Ok(0) | Err(_)));
        }
    }
}
