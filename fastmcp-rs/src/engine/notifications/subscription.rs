//! A subscription of a feed: its filter, and the changes that its client does not know yet.

use std::collections::HashMap;
use std::sync::Arc;

use super::SubscriptionTargets;
use crate::context::LogFilter;
use crate::context::change_hub::{Change, ChangeHub, ChangeInterest, ListKind, ListSet};
use crate::json::encode;
use crate::protocol::id::IdKey;
use crate::protocol::{ProtocolMethod, write};

/// The id of a subscription.
pub(super) struct SubscriptionId {
    /// JSON text, as the client wrote it.
    pub(super) id: Box<str>,
    pub(super) key: IdKey,
}

pub(super) struct FeedSubscription {
    /// `None` for the session of a legacy client, whose notifications carry no id.
    pub(super) subscription_id: Option<SubscriptionId>,
    /// Whether notifications may be sent yet.
    pub(super) is_open: bool,
    /// The log messages that the client of a session wants.
    pub(super) log: LogFilter,
    pub(super) lists: ListSet,
    pub(super) changed_lists: ListSet,
    /// The URIs, each with a flag that is true if it is in `changed_uris`.
    pub(super) uris: HashMap<Arc<str>, bool>,
    /// The changed URIs, in the order of their first change.
    pub(super) changed_uris: Vec<Arc<str>>,
    pub(super) list_interest: Option<ChangeInterest>,
    pub(super) resource_interest: Option<ChangeInterest>,
}

impl FeedSubscription {
    pub(super) fn new(subscription_id: Option<SubscriptionId>) -> FeedSubscription {
        FeedSubscription {
            subscription_id,
            is_open: false,
            log: LogFilter::None,
            lists: ListSet::NONE,
            changed_lists: ListSet::NONE,
            uris: HashMap::new(),
            changed_uris: Vec::new(),
            list_interest: None,
            resource_interest: None,
        }
    }

    pub(super) fn add_targets(&mut self, hub: &Arc<ChangeHub>, targets: SubscriptionTargets) {
        let SubscriptionTargets { lists, uris } = targets;
        if !lists.is_empty() {
            self.lists = lists;
            self.list_interest.get_or_insert_with(|| hub.register_list_interest());
        }
        if !uris.is_empty() {
            self.uris.extend(uris.into_iter().map(|uri| (uri, false)));
            self.resource_interest.get_or_insert_with(|| hub.register_resource_interest());
        }
    }

    pub(super) fn record_change(&mut self, change: Change<'_>) {
        match change {
            Change::List(kind) if self.lists.contains(kind) => self.changed_lists = self.changed_lists.with(kind),
            // The feed sends log messages itself.
            Change::List(_) | Change::Log { .. } => {}
            Change::Resource(uri) => {
                // The key is shared with the list of changes.
                if let Some((uri, false)) = self.uris.get_key_value(uri) {
                    let uri = Arc::clone(uri);
                    self.changed_uris.push(Arc::clone(&uri));
                    self.uris.insert(uri, true);
                }
            }
        }
    }

    pub(super) fn has_unsent_changes(&self) -> bool {
        self.is_open && !(self.changed_lists.is_empty() && self.changed_uris.is_empty())
    }

    /// Writes a notification for each change.
    pub(super) fn write_notifications(&self, out: &mut Vec<u8>) {
        for kind in ListKind::ALL.into_iter().filter(|kind| self.changed_lists.contains(*kind)) {
            let method = match kind {
                ListKind::Tools => ProtocolMethod::ToolsListChanged,
                ListKind::Resources => ProtocolMethod::ResourcesListChanged,
                ListKind::Prompts => ProtocolMethod::PromptsListChanged,
            };
            write::begin_notification(out, method);
            if let Some(subscription_id) = &self.subscription_id {
                out.extend_from_slice(br#","params":{"#);
                write_meta(out, &subscription_id.id);
                out.push(b'}');
            }
            out.extend_from_slice(b"}\n");
        }
        for uri in &self.changed_uris {
            write::begin_notification(out, ProtocolMethod::ResourceUpdated);
            out.extend_from_slice(br#","params":{"#);
            if let Some(subscription_id) = &self.subscription_id {
                write_meta(out, &subscription_id.id);
                out.push(b',');
            }
            out.extend_from_slice(br#""uri":"#);
            encode::write_string(out, uri);
            out.extend_from_slice(b"}}\n");
        }
    }

    pub(super) fn clear_changes(&mut self) {
        self.changed_lists = ListSet::NONE;
        for uri in self.changed_uris.drain(..) {
            self.uris.insert(uri, false);
        }
    }
}

/// Appends the `_meta` member that names the subscription of a notification.
pub(crate) fn write_meta(out: &mut Vec<u8>, id: &str) {
    out.extend_from_slice(br#""_meta":{"io.modelcontextprotocol/subscriptionId":"#);
    write::append_id(out, id);
    out.push(b'}');
}
