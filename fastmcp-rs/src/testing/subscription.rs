//! Subscriptions of a test client to changes.
//!
//! In 2026-07-28 a subscription is the request `subscriptions/listen`, whose response ends it. In earlier revisions
//! each URI needs a `resources/subscribe`, and every client gets the changes of lists; a subscription then selects the
//! notifications that match its filter.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::protocol::{Feature, ProtocolMethod};
use crate::testing::dispatcher::{Dispatcher, PendingRequest};
use crate::testing::reply::{Notification, RequestError};
use crate::testing::subscription_filter::{OpenSubscription, SubscriptionFilter};

/// A subscription of a test client. Dropping it cancels it.
#[must_use = "dropping a subscription cancels it"]
pub struct Subscription {
    dispatcher: Arc<Dispatcher>,
    id: i64,
    filter: SubscriptionFilter,
    notifications: mpsc::UnboundedReceiver<Notification>,
    acknowledged: Value,
    /// The response to `subscriptions/listen`, which ends the subscription.
    end: Option<PendingRequest>,
}

impl Subscription {
    pub(super) async fn open(
        dispatcher: Arc<Dispatcher>,
        filter: SubscriptionFilter,
        mut params: Map<String, Value>,
    ) -> Result<Subscription, RequestError> {
        let has_streams = dispatcher.revision.has(Feature::ListenStreams);
        // In a session the id is used only by the client.
        let (id, end) = if has_streams {
            let (id, pending_request) = dispatcher.expect_response();
            (id, Some(pending_request))
        } else {
            (dispatcher.fresh_id(), None)
        };
        let (sender, notifications) = mpsc::unbounded_channel();
        let (acknowledge, acknowledged) = oneshot::channel();
        let acknowledge = has_streams.then_some(acknowledge);
        dispatcher.lock().subscriptions.push(OpenSubscription {
            id,
            filter: filter.clone(),
            notifications: sender,
            acknowledge,
        });
        let mut subscription = Subscription {
            dispatcher: Arc::clone(&dispatcher),
            id,
            filter,
            notifications,
            acknowledged: Value::Null,
            end,
        };
        if !has_streams {
            subscription.acknowledged = subscription.subscribe().await?;
            return Ok(subscription);
        }
        params.insert("notifications".into(), subscription.filter.json());
        dispatcher.send_request(id, ProtocolMethod::Listen.as_str(), params);
        match acknowledged.await {
            Ok(acknowledged) => {
                subscription.acknowledged = acknowledged;
                Ok(subscription)
            }
            Err(_) => {
                dispatcher.panic_if_failed();
                match subscription.end.as_mut().and_then(PendingRequest::take_response) {
                    Some(Err(failure)) => Err(failure),
                    _ => panic!("the server ended a subscription that it had not acknowledged"),
                }
            }
        }
    }

    /// Subscribes to each resource. Returns the filter that the server honours.
    async fn subscribe(&self) -> Result<Value, RequestError> {
        for uri in &self.filter.uris {
            let method = ProtocolMethod::Subscribe.as_str();
            self.dispatcher.start_request(method, uri_params(uri)).wait_for_response().await?;
        }
        let initialization = self.dispatcher.initialization.lock().clone();
        let tells = |list: &str| initialization["capabilities"][list]["listChanged"] == true;
        let honoured = SubscriptionFilter {
            tools: self.filter.tools && tells("tools"),
            resources: self.filter.resources && tells("resources"),
            prompts: self.filter.prompts && tells("prompts"),
            uris: self.filter.uris.clone(),
        };
        Ok(honoured.json())
    }

    /// Returns the filter that the server has acknowledged, in its wire form.
    ///
    /// Before 2026-07-28 there is no such message; then it is the intersection of the filter with the server's
    /// capabilities, and all URIs.
    pub fn acknowledged(&self) -> &Value {
        &self.acknowledged
    }

    /// Waits for the next notification; `None` when the server has ended the subscription.
    ///
    /// # Panics
    ///
    /// Panics if the server violates the protocol.
    pub async fn next(&mut self) -> Option<Notification> {
        let next = self.notifications.recv().await;
        if next.is_none() {
            self.dispatcher.panic_if_failed();
        }
        next
    }

    /// Returns the next notification, if it has arrived.
    ///
    /// # Panics
    ///
    /// Panics if the server violates the protocol.
    pub fn try_next(&mut self) -> Option<Notification> {
        self.dispatcher.take_frames();
        self.dispatcher.panic_if_failed();
        self.notifications.try_recv().ok()
    }

    /// Cancels the subscription, like dropping it.
    pub fn cancel(self) {}
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut unwanted = Vec::new();
        {
            let mut state = self.dispatcher.lock();
            state.subscriptions.retain(|open| open.id != self.id);
            if !self.dispatcher.revision.has(Feature::ListenStreams) {
                let others = &state.subscriptions;
                let is_wanted = |uri: &String| others.iter().any(|open| open.filter.uris.contains(uri));
                unwanted.extend(self.filter.uris.iter().filter(|uri| !is_wanted(uri)).cloned());
            }
        }
        if let Some(mut end) = self.end.take() {
            // Dropping the ticket cancels the request, unless the server has already ended it.
            end.take_response();
        }
        if tokio::runtime::Handle::try_current().is_ok() && !std::thread::panicking() {
            for uri in unwanted {
                self.dispatcher.send_unawaited(ProtocolMethod::Unsubscribe.as_str(), uri_params(&uri));
            }
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Subscription").field("filter", &self.filter).finish_non_exhaustive()
    }
}

fn uri_params(uri: &str) -> Map<String, Value> {
    let mut params = Map::new();
    params.insert("uri".into(), json!(uri));
    params
}
