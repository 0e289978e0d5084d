//! The server around the service: it accepts connections, and ends them.
//!
//! The loop is our own, as a server for everybody has to close what is silent, slow or too much. What happens on a
//! connection is in `connection`.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::{Connected, Front};
use super::counted::{Counted, PerPeer};
use super::io::Times;
use super::listener::Listener;
use crate::engine::Client;
use crate::operator;

/// How long to wait before connections are accepted again that could not be for want of resources.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Longer than anybody waits, and short enough to be added to a point in time.
const ENDLESS: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long to wait for what was cancelled.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Serves until `stop` is ready, and then until what runs has ended or its time is over.
pub(crate) async fn serve<L: Listener>(listener: L, front: Front, stop: impl Future<Output = ()>) {
    let service = front.site.service.clone();
    let config = service.shared.config.clone();
    let [header, idle, write] = [config.header_time, config.idle_time, config.write_time].map(|time| time.min(ENDLESS));
    let times = Times { header, idle, write };
    let (stopping, stopped) = watch::channel(false);
    let connected = Connected { front, times, stopped };
    let connections = Arc::clone(&service.shared.connections);
    let addresses = config.max_connections_per_address.map(PerPeer::new);
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
            Some(Err(error)) if is_the_peers(&error) => continue,
            Some(Err(error)) => {
                // Too many open files, most likely: to ask again at once would only burn time.
                operator::warn(format_args!("connections cannot be accepted: {error}; trying again in {pause:?}"));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = FIRST_PAUSE;
        let Some(counted) = Counted::new(&connections, config.max_connections) else {
            service.refused_connection();
            continue;
        };
        let of_address = match (&addresses, peer) {
            (Some(addresses), Some(peer)) => match addresses.count(peer.ip().to_canonical()) {
                Some(counted) => Some(counted),
                None => {
                    service.refused_connection();
                    continue;
                }
            },
            _ => None,
        };
        let mut connected = connected.clone();
        let client = peer.map_or(Client::OnThisMachine, Client::At);
        connected.front.site.service.client = client;
        tasks.spawn(connected.serve(stream, (counted, of_address)));
    }
    drop((listener, connected));
    service.close();
    let _ = stopping.send(true);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(config.drain, drained).await.is_err() {
        operator::warn(format_args!("{} calls did not end in time, and are cancelled", service.calls()));
    }
    service.shared.end_sessions();
    tasks.shutdown().await;
    // Streams of HTTP/2 are tasks of their own, which end by themselves when their connection has.
    let _ = tokio::time::timeout(LAST_WAIT, stopping.closed()).await;
    service.end().await;
}

/// Whether an error of `accept` is one of the connection that was to be accepted.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Ready when the process is asked to stop.
pub(crate) async fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            poll_fn(|task| {
                if terminate.poll_recv(task).is_ready() || interrupt.poll_recv(task).is_ready() {
                    return Poll::Ready(());
                }
                Poll::Pending
            })
            .await;
        })
    }
    #[cfg(windows)]
    {
        let mut console = crate::transport::console::ConsoleEvents::new()?;
        Ok(async move { console.next().await })
    }
}
