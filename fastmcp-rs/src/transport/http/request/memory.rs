//! The memory budget of large messages: memory is reserved as they arrive, and held until their calls have ended.
//!
//! Concurrent uploads could take the whole budget without one of them completing. So the oldest upload is guaranteed
//! the rest that it needs, globally and within its peer. Waiting uploads are granted memory in this order: first those
//! whose peers hold the least in other messages, then the shortest, then the oldest, because memory spread over many
//! uploads would complete none. While uploads wait, those that stopped arriving are refused, the longest silent first,
//! which frees their memory.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::super::peer::Peer;

use crate::util::sync::Mutex;

/// The step of reservations, in bytes: a message in small chunks does not need a reservation for each of them.
pub(crate) const STEP: usize = 64 << 10;
/// The maximum time that a message waits for memory, over all its steps.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum time that a message may take for one step while others wait for memory.
const STEP_TIMEOUT: Duration = Duration::from_secs(1);
/// The interval at which waiting uploads check for uploads that stopped arriving.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The memory budget of large messages, globally and per peer.
#[derive(Debug)]
pub(crate) struct MemoryBudget(Arc<BudgetInner>);

#[derive(Debug)]
struct BudgetInner {
    total: usize,
    /// The maximum of one peer, in bytes.
    share: usize,
    /// The size of the largest message, in bytes, as a multiple of `STEP`.
    largest: usize,
    state: Mutex<BudgetState>,
}

#[derive(Debug, Default)]
struct BudgetState {
    used: usize,
    used_by: HashMap<Peer, usize>,
    /// The messages that are not complete yet, oldest first.
    arriving: BTreeMap<u64, PartialMessage>,
    last_id: u64,
    /// The number of messages that wait for memory.
    waiting: usize,
    last_check: Option<Instant>,
}

#[derive(Debug)]
struct PartialMessage {
    peer: Option<Peer>,
    reserved: usize,
    /// The number of further bytes that the message waits for.
    requested: usize,
    /// The total number of bytes that the message needs, as far as known.
    expected: usize,
    /// The time of its last step.
    progress: Instant,
    is_refused: bool,
    changed: Arc<Notify>,
}

impl PartialMessage {
    fn missing_bytes(&self) -> usize {
        self.expected.saturating_sub(self.reserved)
    }

    /// Returns whether the message stopped arriving: it does not wait for memory, and takes too long for a step.
    fn is_stalled(&self, now: Instant) -> bool {
        self.is_refused || (self.requested == 0 && now.duration_since(self.progress) >= STEP_TIMEOUT)
    }
}

/// The error for a message that was not granted memory in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BudgetError;

impl MemoryBudget {
    /// Creates a budget of `total` bytes with at most `share` bytes per peer. The largest message has `limit` bytes;
    /// both maxima are raised to its size if they are smaller.
    pub(crate) fn new(total: usize, share: usize, limit: usize) -> MemoryBudget {
        // A limit near `usize::MAX` means that there is none. Sums of two limits must not overflow.
        let [total, share, limit] = [total, share, limit].map(|bytes| bytes.min(usize::MAX / 4));
        let largest = limit.next_multiple_of(STEP);
        let (total, share) = (total.max(largest), share.max(largest));
        MemoryBudget(Arc::new(BudgetInner { total, share, largest, state: Mutex::default() }))
    }

    /// Starts the upload of a message of `announced` bytes, or 0 if the length is unknown.
    pub(crate) fn start_upload(&self, peer: Option<Peer>, announced: usize) -> Upload {
        let changed = Arc::<Notify>::default();
        let expected =
            if announced == 0 { self.0.largest } else { announced.min(self.0.largest).next_multiple_of(STEP) };
        let arriving = PartialMessage {
            peer,
            reserved: 0,
            requested: 0,
            expected,
            progress: Instant::now(),
            is_refused: false,
            changed: Arc::clone(&changed),
        };
        let mut state = self.0.state.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.arriving.insert(id, arriving);
        Upload { id, changed, wait_left: WAIT_TIMEOUT, shared: Arc::clone(&self.0) }
    }
}

impl BudgetState {
    fn used_by(&self, peer: &Peer) -> usize {
        self.used_by.get(peer).copied().unwrap_or_default()
    }

    /// Grants a message the memory that it waits for.
    fn grant_request(&mut self, id: u64) {
        let Some(arriving) = self.arriving.get_mut(&id) else { return };
        let bytes = mem::take(&mut arriving.requested);
        arriving.reserved += bytes;
        arriving.progress = Instant::now();
        arriving.changed.notify_one();
        self.waiting -= 1;
        self.used += bytes;
        if let Some(peer) = &arriving.peer {
            *self.used_by.entry(peer.clone()).or_default() += bytes;
        }
    }

    fn release_bytes(&mut self, bytes: usize, peer: Option<&Peer>) {
        self.used -= bytes;
        let Some(peer) = peer.filter(|_| bytes > 0) else { return };
        if let Some(used) = self.used_by.get_mut(peer) {
            *used -= bytes;
            if *used == 0 {
                self.used_by.remove(peer);
            }
        }
    }

    /// Grants memory to waiting messages as far as possible, and refuses stalled messages that hold the memory they
    /// need.
    fn grant_waiting(&mut self, shared: &BudgetInner) {
        if self.waiting == 0 {
            return;
        }
        let now = Instant::now();
        // The oldest arriving message of each peer, and the oldest of all messages whose peer is within its share.
        let mut oldest_of: HashMap<Peer, (u64, usize)> = HashMap::new();
        let mut oldest = None;
        let mut waiting = Vec::with_capacity(self.waiting);
        for (id, arriving) in &self.arriving {
            let used = match &arriving.peer {
                None => arriving.reserved,
                Some(peer) => {
                    if !arriving.is_stalled(now) {
                        oldest_of.entry(peer.clone()).or_insert((*id, arriving.missing_bytes()));
                    }
                    self.used_by(peer)
                }
            };
            let is_within_share = arriving.peer.is_none() || used + arriving.requested <= shared.share;
            if oldest.is_none() && is_within_share && !arriving.is_stalled(now) {
                oldest = Some((*id, arriving.missing_bytes()));
            }
            if arriving.requested > 0 {
                waiting.push((used - arriving.reserved, arriving.expected, *id));
            }
        }
        waiting.sort_unstable();
        let rest_of_other = |oldest: Option<&(u64, usize)>, id| match oldest {
            Some((oldest, rest)) if *oldest != id => *rest,
            _ => 0,
        };
        // The missing bytes, globally and per peer.
        let mut missing = 0;
        let mut missing_to: HashMap<Peer, usize> = HashMap::new();
        for (_, _, id) in waiting {
            let Some(arriving) = self.arriving.get(&id) else { continue };
            let more = arriving.requested;
            if let Some(peer) = &arriving.peer {
                if self.used_by(peer) + more + rest_of_other(oldest_of.get(peer), id) > shared.share {
                    *missing_to.entry(peer.clone()).or_default() += more;
                    continue;
                }
            }
            if self.used + more + rest_of_other(oldest.as_ref(), id) > shared.total {
                missing += more;
                continue;
            }
            self.grant_request(id);
        }
        self.refuse_stalled(missing, missing_to, now);
    }

    /// Refuses messages that stopped arriving, until they hold as much memory as is missing.
    fn refuse_stalled(&mut self, mut missing: usize, mut missing_to: HashMap<Peer, usize>, now: Instant) {
        if missing == 0 && missing_to.is_empty() {
            return;
        }
        let silent = self.arriving.values_mut().filter(|arriving| arriving.reserved > 0 && arriving.is_stalled(now));
        let mut silent: Vec<_> = silent.collect();
        // Messages that were refused and still exist come first, as their memory is already counted on.
        silent.sort_by_key(|arriving| (!arriving.is_refused, arriving.progress));
        for arriving in silent {
            let missing_to_peer = arriving.peer.as_ref().and_then(|peer| missing_to.get_mut(peer));
            let missing = match missing_to_peer {
                Some(missing) if *missing > 0 => missing,
                _ => &mut missing,
            };
            if *missing > 0 {
                *missing = missing.saturating_sub(arriving.reserved);
                arriving.is_refused = true;
                arriving.changed.notify_one();
            }
        }
    }
}

/// A message that is arriving, and its reserved memory.
pub(crate) struct Upload {
    id: u64,
    changed: Arc<Notify>,
    /// The remaining time that the message may wait for memory.
    wait_left: Duration,
    shared: Arc<BudgetInner>,
}

impl Upload {
    /// Waits until a total of `length` bytes is reserved.
    pub(crate) async fn reserve(&mut self, length: usize) -> Result<(), BudgetError> {
        if self.try_reserve(length) {
            return Ok(());
        }
        let start = Instant::now();
        loop {
            let left = self.wait_left.saturating_sub(start.elapsed());
            let _ = timeout(left.min(CHECK_INTERVAL), self.changed.notified()).await;
            let mut state = self.shared.state.lock();
            // One of the waiting uploads checks for all of them.
            let now = Instant::now();
            if state.last_check.is_none_or(|last| now.duration_since(last) >= CHECK_INTERVAL) {
                state.last_check = Some(now);
                state.grant_waiting(&self.shared);
            }
            if state.arriving.get(&self.id).is_none_or(|arriving| arriving.requested == 0) {
                break;
            }
            if left.is_zero() {
                return Err(BudgetError);
            }
        }
        self.wait_left = self.wait_left.saturating_sub(start.elapsed());
        Ok(())
    }

    /// Reserves a total of `length` bytes; returns `false` if the upload has to wait.
    fn try_reserve(&self, length: usize) -> bool {
        let shared = &self.shared;
        let mut state = shared.state.lock();
        let BudgetState { used, used_by, arriving, waiting, .. } = &mut *state;
        let Some(arriving) = arriving.get_mut(&self.id) else { return true };
        let more = length.next_multiple_of(STEP).saturating_sub(arriving.reserved);
        if more == 0 {
            return true;
        }
        arriving.requested = more;
        // Usually there is enough memory for all messages.
        let used_by = arriving.peer.as_ref().and_then(|peer| used_by.get(peer)).copied().unwrap_or_default();
        let is_plenty = *waiting == 0
            && *used + more + shared.largest <= shared.total
            && (arriving.peer.is_none() || used_by + more + shared.largest <= shared.share);
        *waiting += 1;
        if is_plenty {
            state.grant_request(self.id);
            return true;
        }
        state.grant_waiting(shared);
        state.arriving.get(&self.id).is_none_or(|arriving| arriving.requested == 0)
    }

    /// Is ready when the upload stopped arriving and was refused, because others need its memory.
    pub(crate) async fn wait_for_refusal(&self) {
        while !self.shared.state.lock().arriving.get(&self.id).is_some_and(|arriving| arriving.is_refused) {
            self.changed.notified().await;
        }
    }

    /// Converts the upload of a complete message into a permit for its memory.
    pub(crate) fn into_permit(self, length: usize) -> MemoryPermit {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state.lock();
        let Some(PartialMessage { peer, reserved, .. }) = state.arriving.remove(&self.id) else {
            drop(state);
            return MemoryPermit { shared, peer: None, bytes: 0 };
        };
        let bytes = reserved.min(length);
        state.release_bytes(reserved - bytes, peer.as_ref());
        state.grant_waiting(&shared);
        drop(state);
        MemoryPermit { shared, peer, bytes }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        if let Some(arriving) = state.arriving.remove(&self.id) {
            state.waiting -= usize::from(arriving.requested > 0);
            state.release_bytes(arriving.reserved, arriving.peer.as_ref());
            state.grant_waiting(&self.shared);
        }
    }
}

/// The memory of a complete message, released on drop.
#[derive(Debug)]
pub(crate) struct MemoryPermit {
    shared: Arc<BudgetInner>,
    peer: Option<Peer>,
    bytes: usize,
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.release_bytes(self.bytes, self.peer.as_ref());
        state.grant_waiting(&self.shared);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: usize = 1 << 20;

    fn budget(messages: usize) -> MemoryBudget {
        MemoryBudget::new(messages * MESSAGE, messages * MESSAGE / 2, MESSAGE)
    }

    fn peer(number: u32) -> Option<Peer> {
        Some(Peer::from_address(std::net::Ipv4Addr::from_bits(number).into()))
    }

    fn is_empty(budget: &MemoryBudget) -> bool {
        let state = budget.0.state.lock();
        state.used == 0 && state.used_by.is_empty() && state.arriving.is_empty() && state.waiting == 0
    }

    /// Starts an upload that reserves `length` bytes and then falls silent.
    async fn silent(budget: &MemoryBudget, peer: Option<Peer>, length: usize) -> Upload {
        let mut upload = budget.start_upload(peer, MESSAGE);
        upload.reserve(length).await.unwrap();
        upload
    }

    async fn is_refused(upload: &Upload) -> bool {
        timeout(Duration::from_millis(1), upload.wait_for_refusal()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_upload_that_was_silent_longest_yields_first() {
        let budget = budget(4);
        let mut uploads = Vec::new();
        for _ in 0..4 {
            uploads.push(silent(&budget, None, MESSAGE).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let (shared, start) = (Arc::clone(&budget.0), Instant::now());
        let waiting = tokio::spawn(async move {
            let mut upload = MemoryBudget(shared).start_upload(None, MESSAGE);
            upload.reserve(STEP * 2).await.map(|()| upload)
        });
        uploads[0].wait_for_refusal().await;
        assert!(start.elapsed() <= STEP_TIMEOUT + CHECK_INTERVAL, "{:?}", start.elapsed());
        tokio::time::sleep(CHECK_INTERVAL * 3).await;
        for upload in &uploads[1..] {
            assert!(!is_refused(upload).await, "one is enough");
        }
        uploads.remove(0);
        let upload = waiting.await.unwrap().unwrap();
        drop((uploads, upload));
        assert!(is_empty(&budget));
    }

    #[tokio::test(start_paused = true)]
    async fn complete_messages_are_awaited_and_not_refused() {
        let budget = budget(2);
        let reserved = [
            silent(&budget, None, MESSAGE).await.into_permit(MESSAGE),
            silent(&budget, None, MESSAGE).await.into_permit(MESSAGE),
        ];
        let start = Instant::now();
        assert_eq!(budget.start_upload(None, MESSAGE).reserve(STEP).await, Err(BudgetError));
        assert!(start.elapsed() >= WAIT_TIMEOUT);
        drop(reserved);
        assert!(is_empty(&budget));
        // Memory for announced bytes that did not arrive is released.
        let reserved = silent(&budget, None, MESSAGE).await.into_permit(70_000);
        assert_eq!(budget.0.state.lock().used, 70_000);
        drop(reserved);
        assert!(is_empty(&budget));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_waits_only_for_its_own_share() {
        let budget = budget(4);
        let reserved = [silent(&budget, peer(1), MESSAGE).await, silent(&budget, peer(1), MESSAGE).await];
        let reserved = reserved.map(|upload| upload.into_permit(MESSAGE));
        let other = silent(&budget, peer(2), MESSAGE).await;
        tokio::time::sleep(STEP_TIMEOUT * 2).await;
        assert_eq!(budget.start_upload(peer(1), MESSAGE).reserve(STEP).await, Err(BudgetError));
        assert!(!is_refused(&other).await, "another peer's silence is not in its way");
        let quick = Instant::now();
        assert_eq!(budget.start_upload(peer(3), MESSAGE).reserve(STEP).await, Ok(()));
        assert!(quick.elapsed().is_zero());
        drop((reserved, other));
        assert!(is_empty(&budget));
    }

    #[tokio::test(start_paused = true)]
    async fn freed_memory_goes_to_the_peer_with_the_least_memory() {
        let budget = budget(4);
        let reserved = silent(&budget, peer(1), MESSAGE).await.into_permit(MESSAGE);
        let rest = MemoryBudget(Arc::clone(&budget.0)).start_upload(None, MESSAGE);
        let mut others: Vec<_> =
            [2, 2, 3].into_iter().map(|number| budget.start_upload(peer(number), MESSAGE)).collect();
        for other in &mut others {
            other.reserve(MESSAGE - STEP).await.unwrap();
        }
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        for number in [1, 4] {
            let (sender, shared) = (sender.clone(), Arc::clone(&budget.0));
            tokio::spawn(async move {
                let mut upload = MemoryBudget(shared).start_upload(peer(number), MESSAGE);
                let is_granted = upload.reserve(STEP * 4).await;
                let _ = sender.send((number, is_granted));
                drop(upload);
            });
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop((others, rest));
        assert_eq!(receiver.recv().await, Some((4, Ok(()))));
        assert_eq!(receiver.recv().await, Some((1, Ok(()))));
        drop(reserved);
    }

    /// Runs many concurrent uploads of many peers, in chunks.
    #[tokio::test(start_paused = true)]
    async fn uploads_never_wait_for_one_another_in_a_circle() {
        let budget = budget(4);
        let tasks: Vec<_> = (0..80_u32)
            .map(|number| {
                let shared = Arc::clone(&budget.0);
                tokio::spawn(async move {
                    let peer = peer(number % 5).filter(|_| number % 3 > 0);
                    let mut upload = MemoryBudget(Arc::clone(&shared)).start_upload(peer, MESSAGE);
                    for length in (1..=MESSAGE).step_by(50_000 + number as usize).chain([MESSAGE]) {
                        tokio::time::sleep(Duration::from_millis(u64::from(number % 4))).await;
                        upload.reserve(length).await?;
                        let state = shared.state.lock();
                        assert!(state.used <= shared.total, "{}", state.used);
                        assert!(state.used_by.values().all(|used| *used <= shared.share));
                    }
                    let reserved = upload.into_permit(MESSAGE);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    drop(reserved);
                    Ok::<_, BudgetError>(())
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(()));
        }
        assert!(is_empty(&budget));
    }
}
