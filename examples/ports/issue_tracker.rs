//! An issue tracker over HTTP, in which each user has a token and a role.
//!
//! ```sh
//! cargo run --example issue_tracker          # http://127.0.0.1:8000/mcp
//! ```
//!
//! Clients send `Authorization: Bearer ada-token` (a maintainer) or `Bearer bob-token` (a reporter).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fastmcp_rs::prelude::*;

const OPEN_ISSUES_URI: &str = "issues://open";
const PAGE_SIZE: u32 = 20;

#[derive(Clone)]
struct User {
    name: &'static str,
    is_maintainer: bool,
}

#[mcp::model(rename_all = "lowercase")]
#[derive(Clone, Copy, Default, PartialEq)]
enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

#[mcp::model(rename_all = "lowercase")]
#[derive(Clone, Copy, PartialEq)]
enum Status {
    Open,
    Closed,
}

/// A new issue.
#[mcp::model]
#[derive(Clone)]
struct NewIssue {
    /// One line.
    #[arg(min_length = 1, max_length = 120)]
    title: String,
    /// Markdown.
    #[arg(default, max_length = 10_000)]
    body: String,
    #[arg(default = Priority::Normal)]
    priority: Priority,
    #[arg(default, max_length = 10)]
    labels: Vec<String>,
}

#[mcp::model]
#[derive(Clone)]
struct Comment {
    author: String,
    text: String,
}

#[mcp::model(output)]
#[derive(Clone)]
struct Issue {
    id: u32,
    #[serde(flatten)]
    new: NewIssue,
    status: Status,
    author: String,
    assignee: Option<String>,
    comments: Vec<Comment>,
}

#[mcp::model(output)]
struct Page {
    issues: Vec<Issue>,
    total: usize,
    /// The `offset` of the next page.
    next: Option<u32>,
}

#[mcp::model]
struct Confirmation {
    /// Delete the issue and its comments?
    delete: bool,
}

#[derive(Debug, thiserror::Error, mcp::ToolError)]
#[mcp(visible)]
enum TrackerError {
    #[error("there is no issue {0}: list_issues shows all of them")]
    Missing(u32),
    #[error("{0} is not a maintainer: ask ada, or comment on the issue")]
    NotMaintainer(&'static str),
    #[error("there is no user {0}: choose ada or bob")]
    NoUser(String),
    #[mcp(visible = false)]
    #[error("an issue cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

const USERS: [(&str, User); 2] = [
    ("ada-token", User { name: "ada", is_maintainer: true }),
    ("bob-token", User { name: "bob", is_maintainer: false }),
];

async fn by_token(parts: &Parts) -> Result<Principal, AccessError> {
    let header = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer "));
    let user = USERS.iter().find(|(known, _)| Some(*known) == token);
    let (_, user) = user.ok_or(AccessError::unauthorized())?;
    Ok(Principal::new(user.name).extension(user.clone()))
}

impl User {
    fn require_maintainer(&self) -> Result<(), TrackerError> {
        if self.is_maintainer { Ok(()) } else { Err(TrackerError::NotMaintainer(self.name)) }
    }
}

#[derive(Default)]
struct Tracker(Mutex<BTreeMap<u32, Issue>>);

impl Tracker {
    fn issues(&self) -> MutexGuard<'_, BTreeMap<u32, Issue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, id: u32, ctx: &Context, change: impl FnOnce(&mut Issue)) -> Result<Issue, TrackerError> {
        let mut issues = self.issues();
        let issue = issues.get_mut(&id).ok_or(TrackerError::Missing(id))?;
        change(issue);
        notify(ctx, id);
        Ok(issue.clone())
    }

    async fn ids(_: CompletionRequest, State(tracker): State<Self>) -> Vec<String> {
        tracker.issues().keys().map(u32::to_string).collect()
    }
}

fn notify(ctx: &Context, id: u32) {
    ctx.notify_resource_updated(OPEN_ISSUES_URI);
    ctx.notify_resource_updated(format!("issues://{id}"));
}

#[mcp::server]
impl Tracker {
    /// Opens an issue.
    #[tool(destructive = false, middleware = middleware::RateLimit::per_minute(30.0))]
    async fn open_issue(
        &self,
        Args(new): Args<NewIssue>,
        Extension(user): Extension<User>,
        ctx: &Context,
    ) -> Structured<Issue> {
        let mut issues = self.issues();
        let id = issues.last_key_value().map_or(1, |(last, _)| last + 1);
        let (author, status) = (user.name.to_owned(), Status::Open);
        let issue = Issue { id, new, status, author, assignee: None, comments: Vec::new() };
        issues.insert(id, issue.clone());
        notify(ctx, id);
        Structured::new(issue).text(format!("Issue {id} is open."))
    }

    /// Lists issues, the newest first.
    #[tool(read_only)]
    async fn list_issues(
        &self,
        status: Option<Status>,
        priority: Option<Priority>,
        /// Only issues with this label.
        label: Option<&str>,
        /// Only issues whose title or text contains this.
        #[arg(default = "")]
        query: &str,
        #[arg(default)] offset: u32,
        #[arg(default = PAGE_SIZE, min = 1, max = 100)] limit: u32,
    ) -> Page {
        let query = query.to_lowercase();
        let is_wanted = |Issue { new, status: found, .. }: &&Issue| {
            status.is_none_or(|wanted| wanted == *found)
                && priority.is_none_or(|wanted| wanted == new.priority)
                && label.is_none_or(|label| new.labels.iter().any(|other| other == label))
                && [&new.title, &new.body].iter().any(|text| text.to_lowercase().contains(&query))
        };
        let issues = self.issues();
        let found: Vec<&Issue> = issues.values().rev().filter(is_wanted).collect();
        let page: Vec<Issue> =
            found.iter().skip(offset as usize).take(limit as usize).map(|&one| one.clone()).collect();
        let end = offset + page.len() as u32;
        Page { issues: page, total: found.len(), next: ((end as usize) < found.len()).then_some(end) }
    }

    /// Shows an issue with its comments.
    #[tool(read_only)]
    async fn get_issue(&self, id: u32) -> Result<Issue, TrackerError> {
        self.issues().get(&id).cloned().ok_or(TrackerError::Missing(id))
    }

    /// Adds a comment to an issue.
    #[tool(destructive = false)]
    async fn comment(
        &self,
        id: u32,
        #[arg(min_length = 1)] text: String,
        Extension(user): Extension<User>,
        ctx: &Context,
    ) -> Result<Issue, TrackerError> {
        self.change(id, ctx, |issue| issue.comments.push(Comment { author: user.name.into(), text }))
    }

    /// Closes, reopens, ranks or assigns an issue. Only maintainers can.
    #[tool(idempotent, destructive = false)]
    async fn update_issue(
        &self,
        id: u32,
        status: Option<Status>,
        priority: Option<Priority>,
        assignee: Option<String>,
        Extension(user): Extension<User>,
        ctx: &Context,
    ) -> Result<Issue, TrackerError> {
        user.require_maintainer()?;
        if let Some(name) = assignee.iter().find(|name| USERS.iter().all(|(_, user)| user.name != *name)) {
            return Err(TrackerError::NoUser(name.clone()));
        }
        self.change(id, ctx, |issue| {
            issue.status = status.unwrap_or(issue.status);
            issue.new.priority = priority.unwrap_or(issue.new.priority);
            issue.assignee = assignee.or(issue.assignee.take());
        })
    }

    /// Deletes an issue, after the user has confirmed it. Only maintainers can.
    #[tool(destructive)]
    async fn delete_issue(
        &self,
        id: u32,
        Extension(user): Extension<User>,
        ctx: &Context,
    ) -> Result<String, ToolError> {
        user.require_maintainer()?;
        let title = self.get_issue(id).await?.new.title;
        let answer = ctx.elicit::<Confirmation>(format!("Delete issue {id}, \"{title}\"?")).await?;
        if !answer.accepted().is_some_and(|answer| answer.delete) {
            return Ok(format!("Issue {id} is kept."));
        }
        self.issues().remove(&id);
        notify(ctx, id);
        Ok(format!("Issue {id} is deleted."))
    }

    /// Opens many issues at once.
    #[tool(destructive = false)]
    async fn import_issues(&self, issues: Vec<NewIssue>, caller: Extension<User>, ctx: &Context) -> String {
        let total = issues.len();
        for (done, new) in issues.into_iter().enumerate() {
            ctx.progress(done, total, format!("importing \"{}\"", new.title));
            let _ = self.open_issue(Args(new), caller.clone(), ctx).await;
        }
        format!("{total} issues are open.")
    }

    /// All open issues.
    #[resource(OPEN_ISSUES_URI, mime_type = "application/json")]
    async fn open_issues(&self) -> Result<String, TrackerError> {
        let issues = self.issues();
        let open: Vec<&Issue> = issues.values().filter(|issue| issue.status == Status::Open).collect();
        Ok(serde_json::to_string(&open)?)
    }

    /// An issue with its comments.
    #[resource("issues://{id}", mime_type = "application/json")]
    async fn issue(&self, #[arg(complete = Self::ids)] id: u32) -> Result<String, TrackerError> {
        Ok(serde_json::to_string(&self.get_issue(id).await?)?)
    }

    /// Proposes a priority, labels and an assignee for an issue.
    #[prompt]
    async fn triage(&self, #[arg(complete = Self::ids)] id: u32, ctx: &Context) -> Result<Vec<Message>, ToolError> {
        let issue = ctx.embed_resource(format!("issues://{id}")).await?;
        let users = USERS.map(|(_, user)| user.name).join(" or ");
        let task = format!("Propose a priority, labels and an assignee ({users}) for this issue, with reasons.");
        Ok(vec![Message::user(issue), Message::user(task)])
    }
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    let app = App::new("issue-tracker").instructions("Issues of one project. Search before you open a new one.");
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".into());
    app.state(Tracker::default()).authenticate(by_token).run_http(address).await
}
