//! The pages of lists, serialised once per revision.
//!
//! A cursor contains the key after which its page begins, so any instance of a server can resume a list, even if the
//! list has changed since.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::component::ComponentHandler;
use super::visibility::ComponentKind;
use crate::checks::problem::Location;
use crate::component::tool::ToolAnnotations;
use crate::json::encode;
use crate::json::encode::ObjectWriter;
use crate::protocol::cache::CacheHints;
use crate::protocol::revision::PerRevision;
use crate::protocol::server_info::ServerInfo;
use crate::protocol::{CacheScope, Feature, Revision};
use crate::schema::publish::SchemaStyle;

/// Settings of lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListConfig {
    /// The most entries of a page.
    pub(crate) page_size: usize,
    pub(crate) cache: CacheHints,
    /// The style in which schemas of tools are published.
    pub(crate) style: SchemaStyle,
}

impl Default for ListConfig {
    fn default() -> Self {
        ListConfig { page_size: 1_000, cache: CacheHints::default(), style: SchemaStyle::default() }
    }
}

/// A component in a list.
pub(crate) trait ListEntry {
    /// The member of the result that holds the list.
    const MEMBER: &'static str;
    const KIND: ComponentKind;

    fn handler(&self) -> &ComponentHandler;

    /// Returns the sort key, which is unique in the list.
    fn key(&self) -> &str {
        self.handler().key()
    }

    /// Returns the hints of a tool.
    fn hints(&self) -> ToolAnnotations {
        ToolAnnotations::EMPTY
    }

    /// Writes the entry with the members that the revision has.
    fn write(&self, entry: &mut ObjectWriter<'_>, revision: Revision, style: SchemaStyle);
}

/// A sorted list and its pages.
#[derive(Debug)]
pub(crate) struct ComponentList<T> {
    entries: Vec<Arc<T>>,
    config: ListConfig,
    /// True if clients may see different entries.
    is_filtered: bool,
    /// By revision, then by page.
    pages: PerRevision<OnceLock<Vec<Arc<[u8]>>>>,
}

impl<T: ListEntry> ComponentList<T> {
    pub(crate) fn new(entries: Vec<Arc<T>>, config: ListConfig) -> ComponentList<T> {
        let keys = entries.iter().map(|entry| (entry.key(), entry.handler().location));
        let entries: Vec<Arc<T>> =
            sort_indices(keys.collect()).into_iter().map(|at| Arc::clone(&entries[at])).collect();
        let is_filtered = entries.iter().any(|entry| entry.handler().visibility.is_restricted());
        ComponentList { entries, config, is_filtered, pages: PerRevision::default() }
    }

    /// Returns true if clients may see different entries.
    pub(crate) fn is_filtered(&self) -> bool {
        self.is_filtered
    }

    pub(crate) fn entries(&self) -> &[Arc<T>] {
        &self.entries
    }

    pub(crate) fn find(&self, key: &str) -> Option<&Arc<T>> {
        let at = self.entries.binary_search_by(|entry| entry.key().cmp(key)).ok()?;
        self.entries.get(at)
    }

    /// Returns the page at a cursor as the JSON text of a result, or `None` if the cursor does not belong to this list.
    /// `is_visible` returns true for entries that the client may see.
    pub(crate) fn page(
        &self,
        revision: Revision,
        cursor: Option<&str>,
        server_info: &ServerInfo,
        is_visible: impl Fn(&T) -> bool,
    ) -> Option<Arc<[u8]>> {
        let page_size = self.config.page_size;
        let start = match cursor {
            None => 0,
            Some(cursor) => {
                let after = parse_cursor(T::MEMBER, cursor)?;
                self.entries.partition_point(|entry| entry.key() <= after.as_str())
            }
        };
        if self.is_filtered {
            return Some(self.serialise_page(start, revision, server_info, is_visible));
        }
        let serialise = |start| self.serialise_page(start, revision, server_info, |_| true);
        // A cursor of another instance, whose list was different, may begin at any entry.
        if start % page_size != 0 || start > 0 && start >= self.entries.len() {
            return Some(serialise(start));
        }
        let pages = self.pages.get(revision).get_or_init(|| {
            let count = self.entries.len().div_ceil(page_size).max(1);
            (0..count).map(|page| serialise(page * page_size)).collect()
        });
        pages.get(start / page_size).cloned()
    }

    fn serialise_page(
        &self,
        start: usize,
        revision: Revision,
        server_info: &ServerInfo,
        is_visible: impl Fn(&T) -> bool,
    ) -> Arc<[u8]> {
        let mut seen = self.entries[start..].iter().filter(|entry| is_visible(entry)).peekable();
        let mut out = Vec::new();
        out.extend_from_slice(if revision.has(Feature::ResultType) {
            br#"{"resultType":"complete",""#
        } else {
            br#"{""#
        });
        out.extend_from_slice(T::MEMBER.as_bytes());
        out.extend_from_slice(br#"":["#);
        let mut last = None;
        for entry in seen.by_ref().take(self.config.page_size) {
            if last.is_some() {
                out.push(b',');
            }
            ObjectWriter::append(&mut out, |object| entry.write(object, revision, self.config.style));
            last = Some(entry);
        }
        out.push(b']');
        if let (Some(last), Some(_)) = (last, seen.peek()) {
            out.extend_from_slice(br#","nextCursor":"#);
            encode::write_string(&mut out, &make_cursor(T::MEMBER, last.key()));
        }
        if revision.has(Feature::CacheHints) {
            let scope = if self.is_filtered { CacheScope::Private } else { self.config.cache.scope };
            CacheHints { scope, ..self.config.cache }.write(&mut out);
        }
        out.extend_from_slice(match revision.has(Feature::ServerInfoInResults) {
            true => server_info.end_of_result(),
            false => b"}",
        });
        out.into()
    }
}

/// Returns the indices of components in the order of their keys; equal keys are ordered by place. All kinds are sorted
/// here, because a sort per kind would need more code than all the rest of a list.
pub(crate) fn sort_indices(keys: Vec<(&str, Location)>) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..keys.len()).collect();
    // The index is the last part of the key, so equal components keep their order.
    let key = |index: usize| {
        let (key, location) = keys[index];
        (key, location.file, location.line, index)
    };
    indices.sort_unstable_by(|&one, &other| key(one).cmp(&key(other)));
    indices
}

fn make_cursor(list: &str, after: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{list}:{after}"))
}

fn parse_cursor(list: &str, cursor: &str) -> Option<String> {
    let decoded = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    Some(decoded.strip_prefix(list)?.strip_prefix(':')?.to_owned())
}
