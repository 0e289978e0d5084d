//! Ends sessions that are idle or whose lifetime has ended, in one task.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Cause, HttpSession, Sessions};

/// The shortest and the longest interval between searches for idle sessions.
const SWEEP_INTERVALS: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(30)];
/// The time for which a stream can be resumed after its last event, or after its last reader has left.
const REPLAY_TIMEOUT: Duration = Duration::from_secs(5 * 60);

impl Sessions {
    /// Ends sessions that are idle or whose lifetime has ended, and drops streams that can no longer be resumed.
    fn sweep(&self) {
        let idle_timeout = self.limits.idle_timeout;
        let kept_time = REPLAY_TIMEOUT.min(idle_timeout);
        for shard in &self.shards {
            let mut over = Vec::new();
            for session in shard.lock().values() {
                session.streams().requests.retain(|stream| !stream.is_expired(kept_time));
                if session.is_idle(idle_timeout) || session.is_expired() {
                    over.push(Arc::clone(&session.id));
                }
            }
            for id in over {
                if !self.remove_if(&id, HttpSession::is_expired, Cause::Expired) {
                    self.remove_if(&id, |session| session.is_idle(idle_timeout), Cause::Idle);
                }
            }
        }
    }

    /// Starts the task that ends idle sessions, unless it runs. The task keeps neither the sessions nor a runtime
    /// alive.
    pub(super) fn start_sweep_task(self: &Arc<Self>) {
        if self.has_sweep_task.swap(true, Ordering::AcqRel) {
            return;
        }
        let watch = SweepTask(Arc::downgrade(self));
        let [least, most] = SWEEP_INTERVALS;
        let pause = (self.limits.idle_timeout / 4).clamp(least, most);
        // Outside a runtime there is no task, and the next request tries again.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(sessions) = watch.0.upgrade() else { return };
                sessions.sweep();
                if sessions.len() == 0 {
                    drop(watch);
                    // A session that began in the meantime has found this task still running.
                    if sessions.len() > 0 {
                        sessions.start_sweep_task();
                    }
                    return;
                }
            }
        });
    }

    /// Returns the number of open sessions, after a search for ended ones.
    pub(crate) fn count_open(&self) -> usize {
        self.sweep();
        self.len()
    }
}

/// The state of the task that ends idle sessions. When the task ends, even together with its runtime, another one can
/// start.
struct SweepTask(Weak<Sessions>);

impl Drop for SweepTask {
    fn drop(&mut self) {
        if let Some(sessions) = self.0.upgrade() {
            sessions.has_sweep_task.store(false, Ordering::Release);
        }
    }
}
