//! Revisions of the protocol, and the features that each of them has.
//!
//! A server never compares revisions: it asks [`Revision::has`] for the feature that it needs, and the table in
//! [`Feature::support`] answers. So a new revision is a row of this file, and a difference between revisions has one
//! name wherever it matters.

use std::fmt;

/// A revision of the Model Context Protocol.
///
/// Revisions have no order. A handler that depends on the client's revision asks for the feature that it needs:
/// `ctx.revision().has(Feature::StructuredContent)`. The constants that name a revision are for tests and test clients.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>
///
/// # Example
///
/// ```
/// use fastmcp_rs::{Feature, Revision};
///
/// assert!(Revision::LATEST.has(Feature::StructuredContent));
/// assert!(!Revision::V2025_03_26.has(Feature::StructuredContent));
/// assert_eq!(Revision::parse("2025-06-18"), Some(Revision::V2025_06_18));
/// assert_eq!(Revision::V2025_03_26.to_string(), "2025-03-26");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(Release);

/// The revisions in the order of their publication.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Release {
    V2024_11_05,
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

impl Revision {
    /// The first revision. For tests; a server asks [`has`](Revision::has).
    pub const V2024_11_05: Revision = Revision(Release::V2024_11_05);
    /// Adds audio, tool annotations and completions; the only revision with batches. For tests; a server asks
    /// [`has`](Revision::has).
    pub const V2025_03_26: Revision = Revision(Release::V2025_03_26);
    /// Adds structured output, titles, resource links and elicitation. For tests; a server asks
    /// [`has`](Revision::has).
    pub const V2025_06_18: Revision = Revision(Release::V2025_06_18);
    /// Adds icons and elicitation by URL; the last revision with the `initialize` handshake. For tests; a server asks
    /// [`has`](Revision::has).
    pub const V2025_11_25: Revision = Revision(Release::V2025_11_25);
    /// Stateless: every request carries the data about its client that the server needs. For tests; a server asks
    /// [`has`](Revision::has).
    pub const V2026_07_28: Revision = Revision(Release::V2026_07_28);

    /// All revisions that this library supports, newest first.
    pub const ALL: &'static [Revision] = &[
        Revision::V2026_07_28,
        Revision::V2025_11_25,
        Revision::V2025_06_18,
        Revision::V2025_03_26,
        Revision::V2024_11_05,
    ];

    /// The newest revision that this library supports.
    pub const LATEST: Revision = Revision::ALL[0];

    /// The revision of an HTTP request that has no session and names no revision, as the specification defines it.
    #[cfg(feature = "http")]
    pub(crate) const DEFAULT_OVER_HTTP: Revision = Revision::V2025_03_26;

    /// Returns the revision's name on the wire: a date, such as `2026-07-28`.
    pub const fn as_str(self) -> &'static str {
        match self.0 {
            Release::V2024_11_05 => "2024-11-05",
            Release::V2025_03_26 => "2025-03-26",
            Release::V2025_06_18 => "2025-06-18",
            Release::V2025_11_25 => "2025-11-25",
            Release::V2026_07_28 => "2026-07-28",
        }
    }

    /// Parses the name of a revision; returns `None` if this library does not support it.
    pub fn parse(name: &str) -> Option<Revision> {
        Revision::ALL.iter().copied().find(|revision| revision.as_str() == name)
    }

    /// Returns true if this revision has a feature.
    // With a constant feature this is one comparison of small integers, or two if the feature was removed later.
    #[inline]
    pub const fn has(self, feature: Feature) -> bool {
        let Support { since, removed } = feature.support();
        let is_removed = match removed {
            Some(removed) => self.index() >= removed.index(),
            None => false,
        };
        self.index() >= since.index() && !is_removed
    }

    /// Returns the newest revision that has a feature.
    pub const fn latest_with(feature: Feature) -> Revision {
        let mut at = 0;
        // Each feature exists in the revision that adds it, so the search ends in bounds.
        while !Revision::ALL[at].has(feature) {
            at += 1;
        }
        Revision::ALL[at]
    }

    const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Revision({})", self.as_str())
    }
}

/// A part of the protocol that some revisions have and others have not.
///
/// Each variant names one difference between revisions as the specification means it, not by a date.
///
/// # Example
///
/// ```
/// use fastmcp_rs::{Feature, Revision};
///
/// let with_icons: Vec<_> = Revision::ALL.iter().filter(|revision| revision.has(Feature::Icons)).collect();
/// assert_eq!(with_icons, [&Revision::V2026_07_28, &Revision::V2025_11_25]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Sessions, which a client opens by `initialize`.
    Sessions,
    /// Requests that are independent of each other: each one names its revision and the client's capabilities.
    Stateless,
    /// The transport HTTP with SSE, which Streamable HTTP has replaced.
    HttpWithSse,
    /// Batches of messages.
    Batches,
    /// Streams of a request that the server may close before its response, and that the client then resumes.
    StreamPolling,
    /// HTTP headers that repeat arguments of a tool call, and `x-mcp-header` in the schemas of tools.
    ParameterHeaders,
    /// Requests of the server as messages of their own.
    ServerRequests,
    /// Requests of the server as part of a result, which the client answers by repeating its request.
    InputRequired,
    /// Subscriptions by `subscriptions/listen`.
    ListenStreams,
    /// The member `resultType` of results.
    ResultType,
    /// The server's identity in the `_meta` of results.
    ServerInfoInResults,
    /// The members `ttlMs` and `cacheScope` of results.
    CacheHints,
    /// An error code of its own for a resource that does not exist.
    ResourceNotFoundCode,
    /// An error code of its own for a request that needs a capability which the client has not declared.
    MissingCapabilityCode,
    /// The capability `completions`. All revisions have the method.
    CompletionCapability,
    /// The values of other arguments in a request for completions.
    CompletionContext,
    /// A text in progress notifications.
    ProgressMessages,
    /// Titles of components, of their arguments and of the server.
    Titles,
    /// Icons of components and of the server.
    Icons,
    /// The description and the web site of the server.
    ServerDescription,
    /// `_meta` of components and of content.
    Meta,
    /// Annotations of tools, such as `readOnlyHint`.
    ToolAnnotations,
    /// Structured content of tool results, and output schemas. The content is an object.
    StructuredContent,
    /// Structured content of any JSON type, not only objects.
    StructuredValues,
    /// Audio content.
    Audio,
    /// Links to resources as content.
    ResourceLinks,
    /// The time of the last change in annotations of content and resources.
    LastModified,
    /// Elicitation by forms.
    Elicitation,
    /// The modes of elicitation: forms, and pages that the person opens.
    ElicitationModes,
    /// Ids of elicitations that open a page.
    ElicitationIds,
    /// Fields of forms in which several values can be chosen, and titles of values.
    FormChoices,
    /// Tools that the client's model may call in a sampling request, and messages of several blocks.
    SamplingTools,
}

/// The revisions that have a feature.
#[derive(Clone, Copy)]
struct Support {
    since: Revision,
    /// The first revision that does not have the feature any more.
    removed: Option<Revision>,
}

const fn since(revision: Revision) -> Support {
    Support { since: revision, removed: None }
}

impl Support {
    const fn removed_in(self, revision: Revision) -> Support {
        Support { removed: Some(revision), ..self }
    }
}

impl Feature {
    /// The table of features: the revision that adds each of them, and the revision that removes it.
    #[inline]
    const fn support(self) -> Support {
        match self {
            Feature::Sessions => since(Revision::V2024_11_05).removed_in(Revision::V2026_07_28),
            Feature::ServerRequests => since(Revision::V2024_11_05).removed_in(Revision::V2026_07_28),
            Feature::ResourceNotFoundCode => since(Revision::V2024_11_05).removed_in(Revision::V2026_07_28),
            Feature::HttpWithSse => since(Revision::V2024_11_05).removed_in(Revision::V2025_03_26),

            Feature::Batches => since(Revision::V2025_03_26).removed_in(Revision::V2025_06_18),
            Feature::Audio => since(Revision::V2025_03_26),
            Feature::CompletionCapability => since(Revision::V2025_03_26),
            Feature::ProgressMessages => since(Revision::V2025_03_26),
            Feature::ToolAnnotations => since(Revision::V2025_03_26),

            Feature::CompletionContext => since(Revision::V2025_06_18),
            Feature::Elicitation => since(Revision::V2025_06_18),
            Feature::LastModified => since(Revision::V2025_06_18),
            Feature::Meta => since(Revision::V2025_06_18),
            Feature::ResourceLinks => since(Revision::V2025_06_18),
            Feature::StructuredContent => since(Revision::V2025_06_18),
            Feature::Titles => since(Revision::V2025_06_18),

            Feature::ElicitationIds => since(Revision::V2025_11_25).removed_in(Revision::V2026_07_28),
            Feature::StreamPolling => since(Revision::V2025_11_25).removed_in(Revision::V2026_07_28),
            Feature::ElicitationModes => since(Revision::V2025_11_25),
            Feature::FormChoices => since(Revision::V2025_11_25),
            Feature::Icons => since(Revision::V2025_11_25),
            Feature::SamplingTools => since(Revision::V2025_11_25),
            Feature::ServerDescription => since(Revision::V2025_11_25),

            Feature::CacheHints => since(Revision::V2026_07_28),
            Feature::InputRequired => since(Revision::V2026_07_28),
            Feature::ListenStreams => since(Revision::V2026_07_28),
            Feature::MissingCapabilityCode => since(Revision::V2026_07_28),
            Feature::ParameterHeaders => since(Revision::V2026_07_28),
            Feature::ResultType => since(Revision::V2026_07_28),
            Feature::ServerInfoInResults => since(Revision::V2026_07_28),
            Feature::Stateless => since(Revision::V2026_07_28),
            Feature::StructuredValues => since(Revision::V2026_07_28),
        }
    }
}

/// One value per revision, such as a text that is written once for each.
#[derive(Debug, Default)]
pub(crate) struct PerRevision<T>([T; Revision::ALL.len()]);

impl<T> PerRevision<T> {
    pub(crate) fn get(&self, revision: Revision) -> &T {
        &self.0[revision.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_there_from_its_first_revision_until_it_is_removed() {
        let with = |feature| -> Vec<&str> {
            Revision::ALL.iter().filter(|revision| revision.has(feature)).map(|revision| revision.as_str()).collect()
        };
        assert_eq!(with(Feature::Batches), ["2025-03-26"]);
        assert_eq!(with(Feature::HttpWithSse), ["2024-11-05"]);
        assert_eq!(with(Feature::Sessions), ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]);
        assert!(!Revision::V2025_03_26.has(Feature::Titles) && Revision::V2025_06_18.has(Feature::Titles));
        assert!(Revision::LATEST.has(Feature::Titles));
        assert_eq!(Revision::latest_with(Feature::Sessions), Revision::V2025_11_25);
        assert_eq!(Revision::latest_with(Feature::Icons), Revision::LATEST);
    }

    #[test]
    fn every_revision_has_either_sessions_or_stateless_requests() {
        for revision in Revision::ALL {
            assert_ne!(revision.has(Feature::Sessions), revision.has(Feature::Stateless), "{revision}");
            assert_eq!(Revision::parse(revision.as_str()), Some(*revision));
        }
    }

    #[test]
    fn a_revision_prints_its_date() {
        assert_eq!(format!("{0} {0:?}", Revision::V2025_06_18), "2025-06-18 Revision(2025-06-18)");
    }

    #[test]
    fn revisions_are_listed_newest_first() {
        assert!(Revision::ALL.windows(2).all(|pair| pair[0].index() == pair[1].index() + 1));
        let values = PerRevision::<u8>::default();
        assert!(Revision::ALL.iter().all(|revision| *values.get(*revision) == 0));
    }
}
