//! The state of a request while it is handled, and the ordered delivery of its notifications.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Notify;

use crate::auth::principal::Principal;
use crate::client_features::conversation::{CallClientRequests, FrameSink};
use crate::context::Transport;
use crate::context::nested_calls::NestedCalls;
use crate::context::request_id::RequestId;
use crate::context::transport_facts::{ClientAddr, TransportFacts};
use crate::json::dual_serializer::write_json_and_text;
use crate::json::encode;
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::client_facts::ClientDeclaration;
use crate::protocol::trace_context::TraceContext;
use crate::protocol::{Feature, LoggingLevel, ProtocolMethod, Revision, write};
use crate::util::operator_log;
use crate::util::sync::{Mutex, MutexGuard};

/// The shortest time between two progress notifications of a call: 20 per second.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// The log messages that a client wants.
#[derive(Clone, Debug)]
pub(crate) enum LogFilter {
    None,
    From(LoggingLevel),
    /// The level of a session, which may change while a call runs.
    Session(Arc<AtomicU8>),
}

impl LogFilter {
    pub(crate) fn accepts(&self, level: LoggingLevel) -> bool {
        match self {
            LogFilter::None => false,
            LogFilter::From(least) => level >= *least,
            LogFilter::Session(index) => {
                LoggingLevel::from_index(index.load(Ordering::Relaxed)).is_some_and(|least| level >= least)
            }
        }
    }
}

/// A request while it is handled.
pub(crate) struct CallRequest {
    pub(crate) id: RequestId,
    pub(crate) principal: Option<Arc<Principal>>,
    /// The other components of the server, and the number of calls that the handler has made to them.
    pub(crate) nested_calls: Arc<dyn NestedCalls>,
    pub(crate) nested_call_count: AtomicU32,
    pub(crate) revision: Revision,
    pub(crate) transport: Transport,
    /// The text of `_meta`.
    pub(crate) meta: Option<Box<str>>,
    /// The trace context in the transport's headers.
    pub(crate) transport_trace: Option<Box<TraceContext>>,
    /// The address of the client, as far as the transport knows it.
    pub(crate) client_addr: Option<ClientAddr>,
    /// Present only if the transport has facts that a handler can read.
    pub(crate) transport_facts: Option<Arc<TransportFacts>>,
    /// The memory permit for the arguments. A thread that uses them keeps it, even if the call has ended.
    pub(crate) retained: Option<Weak<dyn Any + Send + Sync>>,
    /// `None` for a modern client, which sends these facts in `meta`.
    pub(crate) client: Option<Arc<ClientDeclaration>>,
    /// JSON text.
    pub(crate) progress_token: Option<Box<str>>,
    pub(crate) log: LogFilter,
    pub(crate) deadline: Option<Instant>,
    pub(crate) outgoing: Arc<OutgoingQueue>,
    pub(crate) is_cancelled: AtomicBool,
    pub(crate) cancel_notify: Notify,
    pub(crate) delivery: Mutex<Delivery>,
    pub(crate) client_requests: CallClientRequests,
}

/// The destination of notifications: they must arrive before the response, and in order.
#[derive(Debug)]
pub(crate) struct Delivery {
    phase: DeliveryPhase,
    last_value: f64,
    /// Set when invalid progress was logged.
    has_warned: bool,
    last_sent: Option<Instant>,
    /// The newest progress notification that was held back.
    held_progress: Option<Vec<u8>>,
    flush_is_due: bool,
}

#[derive(Debug)]
enum DeliveryPhase {
    /// The reader polls the handler for the first time, and has not written its batch yet.
    InPlace(Vec<u8>),
    /// The handler runs as a task.
    Running,
    /// The response is on its way, or there will be none.
    Ended,
}

impl Delivery {
    pub(crate) fn new() -> Mutex<Delivery> {
        Mutex::new(Delivery {
            phase: DeliveryPhase::InPlace(Vec::new()),
            last_value: f64::NEG_INFINITY,
            has_warned: false,
            last_sent: None,
            held_progress: None,
            flush_is_due: false,
        })
    }
}

impl CallRequest {
    fn delivery(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock()
    }

    pub(super) fn send_progress(self: &Arc<Self>, done: f64, total: Option<f64>, message: Option<&str>) {
        let Some(token) = &self.progress_token else { return };
        let mut delivery = self.delivery();
        if done <= delivery.last_value {
            return;
        }
        delivery.last_value = done;
        let message = message.filter(|_| self.revision.has(Feature::ProgressMessages));
        let frame = progress_frame(token, done, total, message);
        let now = Instant::now();
        let wait = delivery.last_sent.and_then(|last| (last + PROGRESS_INTERVAL).checked_duration_since(now));
        let Some(wait) = wait.filter(|wait| !wait.is_zero()) else {
            delivery.last_sent = Some(now);
            // A notification that finds no room is kept, because the last one must arrive.
            delivery.held_progress = self.deliver(&mut delivery, frame);
            return;
        };
        delivery.held_progress = Some(frame);
        if !delivery.flush_is_due {
            // Outside of a runtime, the held frame is sent with the next one or before the response.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                delivery.flush_is_due = true;
                let request = Arc::clone(self);
                runtime.spawn(async move {
                    tokio::time::sleep(wait).await;
                    request.flush_progress();
                });
            }
        }
    }

    /// Logs, once per call, that a progress value is not a finite number and cannot be sent.
    #[cold]
    pub(super) fn warn_about_progress(&self, name: &str, done: f64, total: Option<f64>) {
        if self.progress_token.is_none() || std::mem::replace(&mut self.delivery().has_warned, true) {
            return;
        }
        let total = total.map(|total| format!(" of {total}")).unwrap_or_default();
        operator_log::warn(format_args!(
            "`{name}` reported progress that is not a number, so it was not sent: {done}{total}"
        ));
    }

    fn flush_progress(&self) {
        let mut delivery = self.delivery();
        delivery.flush_is_due = false;
        if let Some(frame) = delivery.held_progress.take() {
            delivery.last_sent = Some(Instant::now());
            delivery.held_progress = self.deliver(&mut delivery, frame);
        }
    }

    pub(super) fn log_message(&self, level: LoggingLevel, logger: &str, data: &impl Serialize) {
        if let Some(frame) = log_frame(level, Some(logger), data) {
            self.send_log(frame);
        }
    }

    /// Sends a log message with the notifications of the call, or after its end as a message of its session.
    fn send_log(&self, frame: Vec<u8>) {
        let mut delivery = self.delivery();
        if !matches!(delivery.phase, DeliveryPhase::Ended) {
            self.deliver(&mut delivery, frame);
            return;
        }
        drop(delivery);
        // Without a session, log messages belong to their request. A cancelled call has nothing more to say.
        if self.may_log_after_end() && !self.is_cancelled.load(Ordering::Acquire) {
            self.nested_calls.send_to_session(&frame);
        }
    }

    /// Returns true if log messages may follow the response: those of a session do.
    pub(crate) fn may_log_after_end(&self) -> bool {
        matches!(self.log, LogFilter::Session(_))
    }

    /// Sends a frame, or returns it if there is no room.
    fn deliver(&self, delivery: &mut Delivery, frame: Vec<u8>) -> Option<Vec<u8>> {
        match &mut delivery.phase {
            DeliveryPhase::InPlace(frames) => frames.extend_from_slice(&frame),
            DeliveryPhase::Running if !self.outgoing.try_push(&frame) => return Some(frame),
            DeliveryPhase::Running | DeliveryPhase::Ended => {}
        }
        None
    }

    /// Switches to immediate delivery because the call was not answered at once: sends the notifications collected so
    /// far, and later ones as they come.
    pub(crate) fn start_delivery(&self) {
        // The lock is held for both steps; otherwise a notification from a thread of the handler could overtake an
        // earlier one.
        let mut delivery = self.delivery();
        if let DeliveryPhase::InPlace(frames) = &delivery.phase {
            self.outgoing.push(frames);
            delivery.phase = DeliveryPhase::Running;
        }
    }

    /// Ends delivery because the call has a response or will have none. Returns the notifications that must precede the
    /// response. Once these are on their way, [`CallClientRequests::close`] must be called.
    pub(crate) fn take_notifications(&self) -> Vec<u8> {
        let mut delivery = self.delivery();
        let held_progress = delivery.held_progress.take();
        let mut frames = match std::mem::replace(&mut delivery.phase, DeliveryPhase::Ended) {
            DeliveryPhase::InPlace(frames) => frames,
            DeliveryPhase::Running | DeliveryPhase::Ended => Vec::new(),
        };
        frames.extend(held_progress.into_iter().flatten());
        frames
    }

    /// Marks the call as cancelled or timed out.
    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        self.cancel_notify.notify_waiters();
    }
}

/// Writes the notification of a log message. A value without a JSON form is logged for the operator instead.
pub(crate) fn log_frame(level: LoggingLevel, logger: Option<&str>, data: &impl Serialize) -> Option<Vec<u8>> {
    let mut frame = Vec::new();
    write::begin_notification(&mut frame, ProtocolMethod::LogMessage);
    frame.extend_from_slice(br#","params":{"level":""#);
    frame.extend_from_slice(level.as_str().as_bytes());
    frame.push(b'"');
    if let Some(logger) = logger {
        frame.extend_from_slice(br#","logger":"#);
        encode::write_string(&mut frame, logger);
    }
    frame.extend_from_slice(br#","data":"#);
    if let Err(error) = write_json_and_text(&mut frame, data) {
        let logger = logger.unwrap_or("AppHandle::log");
        operator_log::warn(format_args!("`{logger}` logged a value that cannot be sent as JSON: {error}"));
        return None;
    }
    frame.extend_from_slice(b"}}\n");
    Some(frame)
}

fn progress_frame(token: &str, done: f64, total: Option<f64>, message: Option<&str>) -> Vec<u8> {
    let mut frame = Vec::new();
    write::begin_notification(&mut frame, ProtocolMethod::Progress);
    frame.extend_from_slice(br#","params":{"progressToken":"#);
    write::append_id(&mut frame, token);
    // Serializing a finite number cannot fail.
    frame.extend_from_slice(br#","progress":"#);
    let _ = encode::write_json(&mut frame, &done);
    if let Some(total) = total {
        frame.extend_from_slice(br#","total":"#);
        let _ = encode::write_json(&mut frame, &total);
    }
    if let Some(message) = message {
        frame.extend_from_slice(br#","message":"#);
        encode::write_string(&mut frame, message);
    }
    frame.extend_from_slice(b"}}\n");
    frame
}

impl FrameSink for CallRequest {
    /// Sends a frame that must arrive, waiting for room if necessary. Returns false if the call has ended or the queue
    /// is closed.
    async fn send(&self, mut frame: Vec<u8>) -> bool {
        loop {
            {
                let mut delivery = self.delivery();
                if matches!(delivery.phase, DeliveryPhase::Ended) {
                    return false;
                }
                match self.deliver(&mut delivery, frame) {
                    None => return true,
                    Some(_) if self.outgoing.is_closed() => return false,
                    Some(kept) => frame = kept,
                }
            }
            self.outgoing.wait_for_capacity().await;
        }
    }

    /// Sends a frame after all earlier frames of the call, even if the call has ended. The frame is only informative,
    /// so it is dropped if there is no room.
    fn try_send(&self, frame: Vec<u8>) {
        let mut delivery = self.delivery();
        if matches!(delivery.phase, DeliveryPhase::Ended) {
            self.outgoing.try_push(&frame);
        } else {
            self.deliver(&mut delivery, frame);
        }
    }
}
