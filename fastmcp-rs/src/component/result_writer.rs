//! Writes the response to a call in the form of the peer's revision.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::definition::DefinitionText;
use crate::client_features::ClientRequestError;
use crate::component::ranking;
use crate::content::message::Message;
use crate::content::resource_contents::{ContentsData, ResourceContents};
use crate::content::tool_result::ToolResult;
use crate::content::{self, Content, RevisionView};
use crate::error::{Audience, Chain, ToolError};
use crate::json::dual_serializer::{EscapedJson, of_tree, write_json_and_text};
use crate::json::{encode, separators};
use crate::protocol::cache::CacheHints;
use crate::protocol::server_info::ServerInfo;
use crate::protocol::write::{self, RpcError, code};
use crate::protocol::{Feature, Outcome, Revision};
use crate::schema::publish::ResultContent;
use crate::util::catch_panic::CaughtPanic;
use crate::util::operator_log;

/// The parts of a response that do not depend on the handler's result.
#[derive(Clone, Copy)]
pub(crate) struct ResponseFrame<'a> {
    pub(crate) id: &'a str,
    pub(crate) revision: Revision,
    /// The component that responds.
    pub(crate) name: &'a str,
    pub(crate) subject: &'a Subject,
    /// The end of results for modern peers.
    pub(crate) server_info: &'a ServerInfo,
    pub(crate) show_errors: bool,
}

/// The form in which a tool's results are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToolResultForm {
    /// True if legacy peers, which support only objects, get the tool's structured results inside an object.
    pub(crate) wrap: bool,
    /// True if modern peers do, too.
    pub(crate) wraps_for_all: bool,
    /// True if numbers, booleans and texts of the tool are also structured content.
    pub(crate) scalars: bool,
    /// True if resource links without a text get one.
    pub(crate) link_text: bool,
    /// The parts of a structured result that are sent.
    pub(crate) content: ResultContent,
}

/// The operation on a component.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    ToolCall(ToolResultForm),
    ResourceRead {
        uri: Box<str>,
        mime_type: Option<DefinitionText>,
        cache: CacheHints,
    },
    PromptGet {
        description: DefinitionText,
    },
    Completion {
        text: Box<str>,
    },
    /// A list of components instead of one component.
    List,
}

impl Subject {
    /// Returns true if the protocol allows a handler to send requests to its client meanwhile.
    pub(crate) fn allows_client_requests(&self) -> bool {
        matches!(self, Subject::ToolCall(_) | Subject::ResourceRead { .. } | Subject::PromptGet { .. })
    }

    /// Returns the noun for the component in messages.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Subject::ToolCall(_) => "tool",
            Subject::ResourceRead { .. } => "resource",
            Subject::PromptGet { .. } => "prompt",
            Subject::Completion { .. } => "completion",
            Subject::List => "list",
        }
    }
}

/// The start of a result without and with `resultType`, up to and including the text of its first members.
macro_rules! beginning {
    ($members:literal) => {
        [concat!(r#","result":{"#, $members), concat!(r#","result":{"resultType":"complete","#, $members)]
    };
}

/// The only place that writes the response to a call. Nothing is in the buffer until a result is known.
#[doc(hidden)]
pub struct ResultWriter<'a> {
    out: &'a mut Vec<u8>,
    frame: ResponseFrame<'a>,
    /// The outcome that the response reports, once it is written.
    outcome: Outcome,
    /// Receives a JSON-RPC error that is not to be written, because layers get it first.
    error: Option<&'a mut Option<RpcError>>,
}

impl<'a> ResultWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, frame: ResponseFrame<'a>) -> Self {
        ResultWriter { out, frame, outcome: Outcome::Ok, error: None }
    }

    /// Creates a writer of a response for layers, which get a JSON-RPC error as a value.
    pub(crate) fn for_layers(out: &'a mut Vec<u8>, frame: ResponseFrame<'a>, error: &'a mut Option<RpcError>) -> Self {
        ResultWriter { out, frame, outcome: Outcome::Ok, error: Some(error) }
    }

    /// Returns the outcome that the response reports. It has no meaning before the response is written.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Writes a result that is already JSON text, and that reports `outcome`.
    pub(crate) fn raw(&mut self, json: &str, outcome: Outcome) {
        self.outcome = outcome;
        write::begin_result(self.out, self.frame.id);
        write::raw(self.out, json);
        self.out.push(b'}');
    }

    /// Writes a single block of text.
    pub fn text(&mut self, text: &str) {
        self.text_block(text, false);
    }

    /// Writes a failure for the model or, before a model is involved, for the client.
    pub(crate) fn failure(&mut self, text: &str) {
        match self.frame.subject {
            Subject::ToolCall(_) => self.text_block(text, true),
            _ => self.rpc_error(RpcError::new(code::INTERNAL_ERROR, text)),
        }
    }

    /// Writes the failure of invalid arguments; `text` gives the reason.
    pub(crate) fn invalid_arguments(&mut self, text: &str) {
        match self.frame.subject {
            Subject::ToolCall(_) => self.text_block(text, true),
            _ => self.rpc_error(RpcError::invalid_params(text)),
        }
    }

    pub(crate) fn rpc_error(&mut self, error: RpcError) {
        self.outcome = Outcome::Error(error.code);
        match &mut self.error {
            Some(kept) => **kept = Some(error),
            None => write::write_error(self.out, Some(self.frame.id), &error),
        }
    }

    fn text_block(&mut self, text: &str, is_error: bool) {
        self.begin_result(beginning!(r#""content":[{"type":"text","text":"#));
        encode::write_string(self.out, text);
        if is_error {
            self.outcome = Outcome::ToolError;
        }
        self.out.extend_from_slice(if is_error { br#"}],"isError":true"# } else { b"}]" });
        self.end_result(false);
    }

    /// Writes a value as structured content, and its JSON as text for peers and models that read only text. For
    /// revisions without structured content, it writes only the text.
    pub fn structured<T: Serialize>(&mut self, value: &T) {
        let start = self.out.len();
        let wraps = self.wraps_result();
        self.begin_structured_result(wraps);
        let json = self.out.len();
        match write_json_and_text(self.out, value) {
            Ok(text) => self.end_structured_result(json, text, wraps),
            Err(error) => {
                self.out.truncate(start);
                self.masked_error(&no_json_form(&error));
            }
        }
    }

    /// Writes a value as structured content, and the blocks and the `_meta` of `rest` instead of its JSON as text. For
    /// revisions without structured content, it writes only the blocks.
    pub(crate) fn structured_with<T: Serialize>(&mut self, value: &T, rest: &ToolResult) {
        let start = self.out.len();
        let wraps = self.wraps_result();
        self.begin_structured_result(wraps);
        let json = self.out.len();
        match write_json_and_text(self.out, value) {
            Ok(text) => self.end_result_with_content(json, text, wraps, rest),
            Err(error) => {
                self.out.truncate(start);
                self.masked_error(&no_json_form(&error));
            }
        }
    }

    /// Ends a result after the JSON of a value, as [`ResultWriter::end_structured_result`] does, with these blocks.
    fn end_result_with_content(&mut self, json: usize, text: EscapedJson, wraps: bool, rest: &ToolResult) {
        self.begin_content_after(json, wraps);
        let is_alone = self.sends_structured_alone();
        let blocks = sent_blocks(&rest.content, is_alone);
        // As in `ToolResult::structured`, a link is no text of the author's.
        let adds_json = !is_alone && blocks.iter().all(|block| matches!(block, Content::ResourceLink(_)));
        self.write_blocks(&blocks, is_alone || adds_json);
        if adds_json {
            self.out.pop();
            let start: &[u8] =
                if blocks.is_empty() { br#"{"type":"text","text":"# } else { br#",{"type":"text","text":"# };
            self.out.extend_from_slice(start);
            append_text(text, wraps, self.out);
            self.out.extend_from_slice(b"}]");
        }
        self.end_result_with(wraps, &meta_members(&rest.meta, wraps));
    }

    /// Begins a result, up to the position where the JSON of a value follows.
    fn begin_structured_result(&mut self, wraps: bool) {
        self.begin_result(if self.has_structured() { beginning!(r#""structuredContent":"#) } else { beginning!("") });
        if wraps {
            self.out.extend_from_slice(br#"{"result":"#);
        }
    }

    /// Ends a result after the JSON of a value, which begins at `json`.
    fn end_structured_result(&mut self, json: usize, text: EscapedJson, wraps: bool) {
        match self.sent_parts() {
            ResultContent::Structured => {
                self.begin_content_after(json, wraps);
                self.out.extend_from_slice(b"[]");
                return self.end_result(wraps);
            }
            // The text has one constant for each case, because most results are written here.
            ResultContent::Text => {
                self.out.truncate(json);
                self.out.extend_from_slice(br#""content":[{"type":"text","text":"#);
            }
            ResultContent::Both if wraps => {
                self.out.extend_from_slice(br#"},"content":[{"type":"text","text":"#);
            }
            ResultContent::Both => self.out.extend_from_slice(br#","content":[{"type":"text","text":"#),
        }
        append_text(text, wraps, self.out);
        self.out.extend_from_slice(b"}]");
        self.end_result(wraps);
    }

    /// Begins the content of a result, after the JSON of a value, which is removed if it is not sent.
    #[inline(never)]
    fn begin_content_after(&mut self, json: usize, wraps: bool) {
        if !self.has_structured() {
            self.out.truncate(json);
        } else if wraps {
            self.out.extend_from_slice(b"},");
        } else {
            self.out.push(b',');
        }
        self.out.extend_from_slice(br#""content":"#);
    }

    /// Writes blocks of content.
    pub(crate) fn content(&mut self, blocks: &[Content]) {
        self.begin_result(beginning!(r#""content":"#));
        self.write_blocks(blocks, false);
        self.end_result(false);
    }

    /// Writes a result that the author composed.
    pub fn result(&mut self, result: ToolResult) {
        if let Some(fault) = &result.fault {
            return self.masked_error(fault);
        }
        let is_sent = self.has_structured() && (!result.is_scalar || self.structures_scalars());
        let structured = result.structured.as_ref().filter(|_| is_sent);
        let wrapped =
            structured.is_some_and(|value| self.wraps_result() || (self.peer_wants_objects() && !value.is_object()));
        self.begin_result(beginning!(r#""content":"#));
        // A failure is always explained in words.
        let is_alone = structured.is_some() && !result.is_error && self.sends_structured_alone();
        match structured.filter(|_| wrapped && !is_alone).map(|value| wrapped_text(&result.content, value)) {
            Some(Some(block)) => self.write_blocks(&[block], false),
            _ => self.write_blocks(&sent_blocks(&result.content, is_alone), is_alone),
        }
        if let Some(value) = structured {
            self.out.extend_from_slice(br#","structuredContent":"#);
            if wrapped {
                self.out.extend_from_slice(br#"{"result":"#);
            }
            // A `Value` always has a JSON form.
            let _ = encode::write_json(self.out, value);
            if wrapped {
                self.out.push(b'}');
            }
        }
        if result.is_error {
            self.outcome = Outcome::ToolError;
            self.out.extend_from_slice(br#","isError":true"#);
        }
        self.end_result_with(wrapped, &meta_members(&result.meta, wrapped));
    }

    /// Writes the list of blocks. `is_explained` is true if links need no text, because the value is beside them.
    fn write_blocks(&mut self, blocks: &[Content], is_explained: bool) {
        // Blocks are strings and JSON values, which always have a JSON form.
        let _ = encode::write_json(self.out, &RevisionView(blocks, self.frame.revision));
        if let Some(text) = self.text_of_links(blocks).filter(|_| !is_explained) {
            // The block is added to the list that was just closed.
            self.out.pop();
            self.out.extend_from_slice(br#",{"type":"text","text":"#);
            encode::write_string(self.out, &text);
            self.out.extend_from_slice(b"}]");
        }
    }

    /// Returns the text that accompanies resource links for clients that show only texts. Peers without resource links
    /// get a text in place of each link.
    fn text_of_links(&self, blocks: &[Content]) -> Option<String> {
        let is_wanted = matches!(self.frame.subject, Subject::ToolCall(ToolResultForm { link_text: true, .. }));
        if is_wanted && self.frame.revision.has(Feature::ResourceLinks) { content::text_of_links(blocks) } else { None }
    }

    /// Writes the failure of a handler.
    // The function is never inlined into the code for one handler, which is generated per handler.
    #[cold]
    #[inline(never)]
    pub(crate) fn error(&mut self, error: ToolError) {
        match error.audience {
            Audience::Model(text) => self.failure(&text),
            Audience::Operator(error) => match error.downcast_ref::<ClientRequestError>() {
                Some(error) if !error.is_author_mistake() => self.client_request_error(error),
                _ => self.masked_error(&Chain(&*error).to_string()),
            },
        }
    }

    /// Writes the failure of a request to the client, which need not be hidden.
    fn client_request_error(&mut self, error: &ClientRequestError) {
        match error.required_capabilities().filter(|_| self.frame.revision.has(Feature::MissingCapabilityCode)) {
            Some(required) => {
                let error = RpcError::new(code::MISSING_CLIENT_CAPABILITY, error.to_string());
                self.rpc_error(error.with_data(&json!({ "requiredCapabilities": required })));
            }
            None => self.failure(&error.to_string()),
        }
    }

    /// Writes a failure whose details only the operator may read.
    pub(crate) fn masked_error(&mut self, detail: &str) {
        let id = operator_log::error_id();
        let (noun, name) = (self.frame.subject.noun(), self.frame.name);
        operator_log::error(format_args!("{noun} `{name}` failed (error {id}): {detail}"));
        if self.frame.show_errors {
            self.failure(&format!("{detail} (error {id})"));
        } else {
            self.failure(&format!(
                "Internal error {id}. Changing the arguments will not help; the details are in the server's log."
            ));
        }
    }

    /// Writes a panic, whose text only the operator may read.
    pub(crate) fn panicked(&mut self, panicked: &CaughtPanic) {
        let attribute = match self.frame.subject {
            Subject::ResourceRead { .. } => "#[mcp::resource(\"…\", blocking)]",
            Subject::PromptGet { .. } => "#[mcp::prompt(blocking)]",
            _ => "#[mcp::tool(blocking)]",
        };
        let text = &panicked.0;
        match panicked.is_by_blocking() {
            true => self.masked_error(&format!(
                "panicked because it blocked a thread of the runtime: mark it `blocking`, as in `{attribute}`, make it \
                 a `fn`, or use `tokio::task::spawn_blocking`: {text}"
            )),
            false => self.masked_error(&format!("panicked: {text}")),
        }
    }

    /// Writes the contents of a resource, or the error that it does not exist.
    pub(crate) fn contents(&mut self, contents: Option<Vec<ResourceContents>>) {
        let Subject::ResourceRead { uri, mime_type, cache } = self.frame.subject else { return };
        let Some(contents) = contents.filter(|contents| !contents.is_empty()) else {
            return self.rpc_error(unknown_resource(uri, self.frame.revision));
        };
        self.begin_result(beginning!(r#""contents":["#));
        for (at, item) in contents.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            let shown = ContentsView { item, uri, mime_type: mime_type.as_deref(), revision: self.frame.revision };
            // Items are strings and JSON values, which always have a JSON form.
            let _ = encode::write_json(self.out, &shown);
        }
        self.out.push(b']');
        if self.frame.revision.has(Feature::CacheHints) {
            cache.write(self.out);
        }
        self.end_result(false);
    }

    /// Writes the requests to the client that must be answered before the result. The client returns `state` with its
    /// answers.
    pub(crate) fn input_required(&mut self, requests: &Map<String, Value>, state: &str) {
        write::begin_result(self.out, self.frame.id);
        self.out.extend_from_slice(br#"{"resultType":"input_required","inputRequests":"#);
        // A `Value` always has a JSON form.
        let _ = encode::write_json(self.out, requests);
        self.out.extend_from_slice(br#","requestState":"#);
        encode::write_string(self.out, state);
        self.end_result(false);
    }

    /// Writes the messages of a prompt.
    pub(crate) fn messages(&mut self, messages: &[Message]) {
        let Subject::PromptGet { description } = self.frame.subject else { return };
        self.begin_result(beginning!(""));
        if !description.is_empty() {
            self.out.extend_from_slice(br#""description":"#);
            encode::write_string(self.out, description);
            self.out.push(b',');
        }
        self.out.extend_from_slice(br#""messages":["#);
        for (at, message) in messages.iter().enumerate() {
            self.out.extend_from_slice(if at > 0 { br#",{"role":"# } else { br#"{"role":"# });
            // Roles and blocks always have a JSON form.
            let _ = encode::write_json(self.out, &message.role);
            self.out.extend_from_slice(br#","content":"#);
            let _ = encode::write_json(self.out, &RevisionView(&message.content, self.frame.revision));
            self.out.push(b'}');
        }
        self.out.push(b']');
        self.end_result(false);
    }

    /// Writes the candidates for an argument, ranked by their match with the typed text.
    pub(crate) fn candidates(&mut self, candidates: Vec<String>) {
        let Subject::Completion { text } = self.frame.subject else { return };
        let ranked = ranking::rank(candidates, text);
        let values = &ranked[..ranked.len().min(ranking::MAX_VALUES)];
        self.begin_result(beginning!(r#""completion":{"values":"#));
        // Strings and numbers always have a JSON form.
        let _ = encode::write_json(self.out, values);
        self.out.extend_from_slice(br#","total":"#);
        let _ = encode::write_json(self.out, &ranked.len());
        let more: &[u8] = if values.len() < ranked.len() { br#","hasMore":true}"# } else { br#","hasMore":false}"# };
        self.out.extend_from_slice(more);
        self.end_result(false);
    }

    /// Returns the parts of a structured result that are sent: only the text if the revision has no structured content,
    /// otherwise those that the author has chosen.
    fn sent_parts(&self) -> ResultContent {
        match self.frame.subject {
            _ if !self.frame.revision.has(Feature::StructuredContent) => ResultContent::Text,
            Subject::ToolCall(form) => form.content,
            _ => ResultContent::Both,
        }
    }

    fn has_structured(&self) -> bool {
        self.sent_parts() != ResultContent::Text
    }

    /// Returns true if structured content is sent without its text.
    fn sends_structured_alone(&self) -> bool {
        self.sent_parts() == ResultContent::Structured
    }

    /// Returns true if numbers, booleans and texts of this tool are structured content, too.
    pub(crate) fn structures_scalars(&self) -> bool {
        matches!(self.frame.subject, Subject::ToolCall(ToolResultForm { scalars: true, .. }))
    }

    /// Returns true if the structured content is an object that holds the result, for peers that support no other type.
    fn wraps_result(&self) -> bool {
        matches!(self.frame.subject, Subject::ToolCall(ToolResultForm { wrap: true, .. }))
            && self.has_structured()
            && self.peer_wants_objects()
    }

    /// Returns true if the peer supports only objects as structured content, or is treated like such a peer.
    fn peer_wants_objects(&self) -> bool {
        !self.frame.revision.has(Feature::StructuredValues)
            || matches!(self.frame.subject, Subject::ToolCall(ToolResultForm { wraps_for_all: true, .. }))
    }

    /// Returns true if results for the peer identify the server.
    fn names_server(&self) -> bool {
        self.frame.revision.has(Feature::ServerInfoInResults)
    }

    /// Begins a result with the members of a [`beginning!`].
    fn begin_result(&mut self, beginning: [&'static str; 2]) {
        write::begin_frame(self.out, self.frame.id);
        self.out.extend_from_slice(beginning[usize::from(self.frame.revision.has(Feature::ResultType))].as_bytes());
    }

    fn end_result(&mut self, wrapped: bool) {
        if wrapped {
            return self.end_result_with(wrapped, &[]);
        }
        let end = if self.names_server() { self.frame.server_info.end_of_frame() } else { b"}}" };
        self.out.extend_from_slice(end);
    }

    /// Closes the result, after a `_meta` if it has members.
    fn end_result_with(&mut self, wrapped: bool, members: &[u8]) {
        // FastMCP's clients look for this mark to unwrap a result.
        let mark: &[u8] = if wrapped { br#""fastmcp":{"wrap_result":true}"# } else { b"" };
        let server_info = if self.names_server() { self.frame.server_info.member() } else { b"" };
        let mut first = true;
        for part in [members, mark, server_info] {
            if part.is_empty() {
                continue;
            }
            self.out.extend_from_slice(if first { br#","_meta":{"# } else { b"," });
            self.out.extend_from_slice(part);
            first = false;
        }
        self.out.extend_from_slice(if first { b"}}" } else { b"}}}" });
    }
}

/// Appends the text of a structured value.
fn append_text(text: EscapedJson, wraps: bool, out: &mut Vec<u8>) {
    match wraps {
        true => text.append_wrapped(out),
        false => text.append(out),
    }
}

/// Returns the blocks that are sent: all, or all except texts if the structured content needs no text beside it.
fn sent_blocks(blocks: &[Content], is_alone: bool) -> Cow<'_, [Content]> {
    match is_alone {
        true => blocks.iter().filter(|block| !matches!(block, Content::Text(_))).cloned().collect(),
        false => Cow::Borrowed(blocks),
    }
}

/// Returns the members of a result's `_meta` as JSON, without the two that the crate writes, because no member may occur
/// twice.
fn meta_members(meta: &Map<String, Value>, wrapped: bool) -> Vec<u8> {
    let mut members = Vec::new();
    for (key, value) in meta {
        if (wrapped && key == "fastmcp") || key == "io.modelcontextprotocol/serverInfo" {
            continue;
        }
        if !members.is_empty() {
            members.push(b',');
        }
        encode::write_string(&mut members, key);
        members.push(b':');
        let _ = encode::write_json(&mut members, value);
    }
    members
}

/// Returns the text of a wrapped result, if the existing text is that of the result itself.
fn wrapped_text(content: &[Content], value: &Value) -> Option<Content> {
    let json = of_tree(value);
    match content {
        [Content::Text(text)] if separators::escaped(text.as_str()) == json => {
            Some(Content::text(format!(r#"{{"result":{json}}}"#)))
        }
        _ => None,
    }
}

/// Returns the reason that a result, which would break the tool's own contract, is not sent.
pub(crate) fn no_json_form(error: &serde_json::Error) -> String {
    format!("the result has no JSON form: {error}")
}

/// Returns the error for a URI without a resource.
pub(crate) fn unknown_resource(uri: &str, revision: Revision) -> RpcError {
    let code =
        if revision.has(Feature::ResourceNotFoundCode) { code::RESOURCE_NOT_FOUND } else { code::INVALID_PARAMS };
    let shown: String = uri.chars().take(256).collect();
    RpcError::new(code, "Resource not found").with_data(&json!({ "uri": shown }))
}

/// An item of a resource in the form for a peer's revision.
struct ContentsView<'a> {
    item: &'a ResourceContents,
    uri: &'a str,
    mime_type: Option<&'a str>,
    revision: Revision,
}

impl Serialize for ContentsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uri", self.item.uri.as_deref().unwrap_or(self.uri))?;
        if let Some(mime_type) = self.item.mime_type.as_deref().or(self.mime_type) {
            map.serialize_entry("mimeType", mime_type)?;
        }
        match &self.item.body {
            ContentsData::Text(text) => map.serialize_entry("text", text)?,
            ContentsData::Blob(blob) => map.serialize_entry("blob", blob)?,
        }
        if self.revision.has(Feature::Meta) && !self.item.meta.is_empty() {
            map.serialize_entry("_meta", &self.item.meta)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_reports_the_outcome_that_it_contains() {
        let server_info = ServerInfo::new(None);
        let content = ResultContent::Both;
        let form = ToolResultForm { wrap: false, wraps_for_all: false, scalars: false, link_text: false, content };
        let tool = Subject::ToolCall(form);
        let prompt = Subject::PromptGet { description: "".into() };
        let write = |subject: &Subject, write: &dyn Fn(&mut ResultWriter<'_>)| {
            let (revision, server_info) = (Revision::latest_with(Feature::Sessions), &server_info);
            let frame = ResponseFrame { id: "7", revision, name: "a", subject, server_info, show_errors: true };
            let mut out = Vec::new();
            let mut writer = ResultWriter::new(&mut out, frame);
            write(&mut writer);
            let outcome = writer.outcome();
            let written: Value = serde_json::from_slice(&out).expect("one frame");
            let expected = match &written["error"]["code"] {
                Value::Null if written["result"]["isError"] == true => Outcome::ToolError,
                Value::Null => Outcome::Ok,
                code => Outcome::Error(i32::try_from(code.as_i64().unwrap()).unwrap()),
            };
            assert_eq!(outcome, expected, "{written}");
            outcome
        };
        assert_eq!(write(&tool, &|writer| writer.text("\"isError\":true")), Outcome::Ok);
        assert_eq!(write(&tool, &|writer| writer.structured(&json!({"isError": true}))), Outcome::Ok);
        assert_eq!(write(&tool, &|writer| writer.structured(&f64::NAN)), Outcome::ToolError);
        assert_eq!(write(&tool, &|writer| writer.failure("no")), Outcome::ToolError);
        assert_eq!(write(&tool, &|writer| writer.result(ToolResult::error("no"))), Outcome::ToolError);
        assert_eq!(write(&tool, &|writer| writer.rpc_error(RpcError::new(-5, "no"))), Outcome::Error(-5));
        assert_eq!(write(&prompt, &|writer| writer.failure("no")), Outcome::Error(code::INTERNAL_ERROR));
        assert_eq!(write(&prompt, &|writer| writer.messages(&[])), Outcome::Ok);
    }
}
