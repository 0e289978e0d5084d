//! The pages of `tools/list`, serialised once for each revision.
//!
//! A cursor holds the name after which its page begins, so that any instance of a server can resume a
//! list, also one whose tools have changed since.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::tool::ToolEntry;
use crate::protocol::{Revision, write};

/// How lists are given out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListConfig {
    /// The most entries of a page.
    pub(crate) page_size: usize,
    /// How long a client may keep a list.
    pub(crate) ttl: Duration,
    pub(crate) scope: CacheScope,
}

impl Default for ListConfig {
    fn default() -> Self {
        ListConfig { page_size: 1_000, ttl: Duration::ZERO, scope: CacheScope::Private }
    }
}

/// Who may share a cached answer.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheScope {
    /// Only the client that asked. The default.
    #[default]
    Private,
    /// Everybody: the answer says nothing that depends on who asks.
    Public,
}

impl ListConfig {
    /// Appends the members of a result that say how long, and for whom, it may be kept.
    pub(crate) fn write_cache_hints(self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#","ttlMs":"#);
        let milliseconds = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        // A number always has a JSON form.
        let _ = write::json(out, &milliseconds);
        out.extend_from_slice(match self.scope {
            CacheScope::Private => br#","cacheScope":"private""#,
            CacheScope::Public => br#","cacheScope":"public""#,
        });
    }
}

/// Where a page begins.
#[derive(Debug)]
pub(crate) struct Cursor {
    after: String,
}

impl Cursor {
    const PREFIX: &'static str = "tools:";

    pub(crate) fn parse(text: &str) -> Option<Cursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let decoded = String::from_utf8(bytes).ok()?;
        Some(Cursor { after: decoded.strip_prefix(Self::PREFIX)?.to_owned() })
    }

    fn encode(after: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!("{}{after}", Self::PREFIX))
    }
}

#[derive(Debug)]
pub(crate) struct Pages {
    config: ListConfig,
    /// By revision, then by page.
    serialised: [OnceLock<Vec<Arc<[u8]>>>; Revision::ALL.len()],
}

impl Pages {
    pub(crate) fn new(config: ListConfig) -> Pages {
        Pages { config, serialised: Default::default() }
    }

    /// The page at the cursor, as the JSON text of a result.
    pub(crate) fn get(
        &self,
        tools: &[ToolEntry],
        revision: Revision,
        cursor: Option<Cursor>,
        server_info: &[u8],
    ) -> Option<Arc<[u8]>> {
        let page_size = self.config.page_size;
        let start = match cursor {
            None => 0,
            // A cursor is made after the last name of a page, so one that fits no page is not ours.
            Some(Cursor { after }) => {
                let start = tools.partition_point(|tool| tool.name() <= after.as_str());
                (start % page_size == 0 && start < tools.len()).then_some(start)?
            }
        };
        let pages = self.serialised[revision.index()].get_or_init(|| {
            let count = tools.len().div_ceil(page_size).max(1);
            (0..count).map(|page| self.serialise(tools, page, revision, server_info)).collect()
        });
        pages.get(start / page_size).cloned()
    }

    fn serialise(&self, tools: &[ToolEntry], page: usize, revision: Revision, server_info: &[u8]) -> Arc<[u8]> {
        let start = page * self.config.page_size;
        let end = (start + self.config.page_size).min(tools.len());
        let mut out = Vec::new();
        out.extend_from_slice(if revision.is_modern() {
            br#"{"resultType":"complete","tools":["#
        } else {
            br#"{"tools":["#
        });
        for (at, tool) in tools[start..end].iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            // A `Value` always has a JSON form.
            let _ = write::json(&mut out, &tool.to_json(revision));
        }
        out.push(b']');
        if end < tools.len() {
            out.extend_from_slice(br#","nextCursor":"#);
            write::string(&mut out, &Cursor::encode(tools[end - 1].name()));
        }
        if revision.is_modern() {
            self.config.write_cache_hints(&mut out);
            if !server_info.is_empty() {
                out.extend_from_slice(br#","_meta":{"#);
                out.extend_from_slice(server_info);
                out.push(b'}');
            }
        }
        out.push(b'}');
        out.into()
    }
}
