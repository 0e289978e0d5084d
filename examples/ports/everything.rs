//! The reference server "everything" of the protocol, ported: the capabilities of servers, for tests of clients.
//!
//! ```sh
//! cargo run --example reference_everything
//! ```
//!
//! The files of the folder `docs` are its static documents. Left out are the tools with tasks, and
//! `gzip-file-as-resource`, which needs crates for gzip and for HTTP requests.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::{env, fs};

use fastmcp_rs::prelude::*;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
const TEAMS: [(&str, [&str; 3]); 4] = [
    ("Engineering", ["Alice", "Bob", "Charlie"]),
    ("Sales", ["David", "Eve", "Frank"]),
    ("Marketing", ["Grace", "Henry", "Iris"]),
    ("Support", ["John", "Kim", "Lee"]),
];

#[mcp::model(input)]
enum City {
    #[serde(rename = "New York")]
    NewYork,
    Chicago,
    #[serde(rename = "Los Angeles")]
    LosAngeles,
}

#[mcp::model(output)]
struct Weather {
    /// Temperature in celsius
    temperature: u8,
    /// Weather conditions description
    conditions: &'static str,
    /// Humidity percentage
    humidity: u8,
}

#[mcp::model(input, rename_all = "lowercase")]
enum MessageType {
    Error,
    Success,
    Debug,
}

#[mcp::model]
enum ResourceType {
    Text,
    Blob,
}

impl ResourceType {
    fn uri(&self, id: u32) -> String {
        format!("demo://resource/dynamic/{}/{id}", self.as_str().to_lowercase())
    }
}

/// A task that a tool starts and stops.
#[derive(Default)]
struct Toggle(Mutex<Option<JoinHandle<()>>>);

impl Toggle {
    /// Repeats the work at a 5 second pace, or stops that. Returns the text for the model.
    fn toggle(&self, subject: &str, work: impl Fn() + Send + 'static) -> String {
        let mut task = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = task.take() {
            running.abort();
            return format!("Stopped simulated {subject}");
        }
        *task = Some(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(5));
            loop {
                ticks.tick().await;
                work();
            }
        }));
        format!("Started simulated {subject} at a 5 second pace")
    }
}

#[derive(Default)]
struct Everything {
    logging: Toggle,
    updates: Toggle,
}

impl Everything {
    fn content(kind: &str, id: u32) -> String {
        let time = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        format!("Resource {id}: This is a {kind} created {time} seconds after 1970")
    }

    async fn resource_ids(request: CompletionRequest) -> Vec<String> {
        request.text().parse().into_iter().filter(|id: &u32| *id > 0).map(|id| id.to_string()).collect()
    }

    async fn departments(_: CompletionRequest) -> Vec<String> {
        TEAMS.map(|(department, _)| department.into()).into()
    }

    async fn team(request: CompletionRequest) -> Vec<String> {
        let team = TEAMS.iter().find(|(department, _)| request.argument("department") == Some(department));
        team.iter().flat_map(|(_, names)| names.map(String::from)).collect()
    }
}

#[mcp::server(rename_all = "camelCase", rename_tools = "kebab-case", rename_prompts = "kebab-case")]
impl Everything {
    /// Echoes back the input string
    #[tool(read_only, open_world = false)]
    async fn echo(
        /// Message to echo
        message: &str,
    ) -> String {
        format!("Echo: {message}")
    }

    /// Returns the sum of two numbers
    #[tool(read_only, open_world = false)]
    async fn get_sum(
        /// First number
        a: f64,
        /// Second number
        b: f64,
    ) -> String {
        format!("The sum of {a} and {b} is {}.", a + b)
    }

    /// Returns all environment variables, helpful for debugging MCP server configuration
    #[tool(title = "Print Environment", read_only, open_world = false)]
    async fn get_env() -> String {
        format!("{:#}", env::vars().collect::<Value>())
    }

    /// Returns a tiny image.
    #[tool(read_only, open_world = false)]
    async fn get_tiny_image() -> Vec<Content> {
        let image = Image::from_base64(PIXEL, "image/png");
        vec!["Here's the image you requested:".into(), image.into(), "The image above is a red pixel.".into()]
    }

    /// Returns structured content along with an output schema for client data validation
    #[tool(read_only, open_world = false)]
    async fn get_structured_content(
        /// Choose city
        location: City,
    ) -> Weather {
        match location {
            City::NewYork => Weather { temperature: 33, conditions: "Cloudy", humidity: 82 },
            City::Chicago => Weather { temperature: 36, conditions: "Light rain / drizzle", humidity: 82 },
            City::LosAngeles => Weather { temperature: 73, conditions: "Sunny / Clear", humidity: 48 },
        }
    }

    /// Demonstrates how annotations can be used to provide metadata about content.
    #[tool(read_only, open_world = false)]
    async fn get_annotated_message(
        /// Type of message to demonstrate different annotation patterns
        message_type: MessageType,
        /// Whether to include an example image
        #[arg(default)]
        include_image: bool,
    ) -> Vec<Content> {
        let text = match message_type {
            MessageType::Error => {
                Text::new("Error: Operation failed").priority(1.0).audience([Role::User, Role::Assistant])
            }
            MessageType::Success => Text::new("Operation completed successfully").priority(0.7).audience([Role::User]),
            MessageType::Debug => Text::new("Debug: Cache hit ratio 0.95").priority(0.3).audience([Role::Assistant]),
        };
        let image = Image::from_base64(PIXEL, "image/png").priority(0.5).audience([Role::User]);
        [text.into()].into_iter().chain(include_image.then(|| image.into())).collect()
    }

    /// Returns up to ten resource links that reference different types of resources
    #[tool(read_only, open_world = false)]
    async fn get_resource_links(
        /// Number of resource links to return (1-10)
        #[arg(default = 3, min = 1, max = 10)]
        count: u32,
    ) -> Vec<Content> {
        let intro = format!("Here are {count} resource links to resources available in this server:");
        let links = (1..=count).map(|id| {
            let kind = if id % 2 == 0 { ResourceType::Text } else { ResourceType::Blob };
            ResourceLink::new(kind.uri(id), format!("{kind} Resource {id}")).into()
        });
        [intro.into()].into_iter().chain(links).collect()
    }

    /// Returns a resource reference that can be used by MCP clients
    #[tool(read_only, open_world = false)]
    async fn get_resource_reference(
        #[arg(default = ResourceType::Text)] resource_type: ResourceType,
        /// ID of the text resource to fetch
        #[arg(default = 1, min = 1)]
        resource_id: u32,
        ctx: &Context,
    ) -> Result<Vec<Content>, ToolError> {
        let uri = resource_type.uri(resource_id);
        let intro = format!("Returning resource reference for Resource {resource_id}:").into();
        let access = format!("You can access this resource using the URI: {uri}").into();
        Ok(vec![intro, ctx.embed_resource(uri).await?.into(), access])
    }

    /// Toggles simulated, random-leveled logging on or off.
    #[tool(destructive = false, open_world = false)]
    async fn toggle_simulated_logging(&self, ctx: Context) -> String {
        self.logging.toggle("logging", move || {
            let level = LoggingLevel::ALL[RandomState::new().hash_one(()) as usize % LoggingLevel::ALL.len()];
            ctx.log(level, format!("{level}-level message"));
        })
    }

    /// Toggles simulated resource subscription updates on or off.
    #[tool(destructive = false, open_world = false)]
    async fn toggle_subscriber_updates(&self, ctx: Context) -> String {
        self.updates.toggle("updates of the resources 1 to 10", move || {
            let uris = (1..=10).flat_map(|id| [ResourceType::Text.uri(id), ResourceType::Blob.uri(id)]);
            uris.for_each(|uri| ctx.notify_resource_updated(uri));
        })
    }

    /// Demonstrates a long running operation with progress updates.
    #[tool(read_only, open_world = false, timeout = "1h")]
    async fn trigger_long_running_operation(
        /// Duration of the operation in seconds
        #[arg(default = 10.0, min = 0, max = 3000)]
        duration: f64,
        /// Number of steps in the operation
        #[arg(default = 5, min = 1)]
        steps: u32,
        ctx: &Context,
    ) -> String {
        for step in 1..=steps {
            tokio::time::sleep(Duration::from_secs_f64(duration) / steps).await;
            ctx.progress(step, steps, None);
        }
        format!("Long running operation completed. Duration: {duration} seconds, Steps: {steps}.")
    }

    /// Trigger a Request from the Server for LLM Sampling
    #[tool(destructive = false, tags = ["sampling"])]
    async fn trigger_sampling_request(
        /// The prompt to send to the LLM
        prompt: &str,
        /// Maximum number of tokens to generate
        #[arg(default = 100)]
        max_tokens: u32,
        ctx: &Context,
    ) -> Result<String, ToolError> {
        let request = SamplingRequest::new(format!("Resource trigger-sampling-request context: {prompt}"))
            .system_prompt("You are a helpful test server.")
            .max_tokens(max_tokens)
            .temperature(0.7);
        let result = ctx.sample(request).await?;
        Ok(format!("LLM sampling result of {}:\n{}", result.model, result.text()))
    }

    /// Trigger a Request from the Server for User Elicitation
    #[tool(destructive = false, open_world = false, tags = ["elicitation"])]
    async fn trigger_elicitation_request(ctx: &Context) -> Result<String, ToolError> {
        let titled = |titles: [&str; 3]| titles.map(|title| json!({"const": title.to_lowercase(), "title": title}));
        let form = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "title": "String", "description": "Your full, legal name"},
            "check": {"type": "boolean", "title": "Boolean", "description": "Agree to the terms and conditions"},
            "firstLine": {"type": "string", "default": "It was a dark and stormy night."},
            "email": {"type": "string", "format": "email", "description": "Never shared with anyone else"},
            "homepage": {"type": "string", "format": "uri", "description": "Portfolio / personal website"},
            "birthdate": {"type": "string", "format": "date", "description": "Your date of birth"},
            "integer": {"type": "integer", "minimum": 1, "maximum": 100, "default": 42},
            "number": {"type": "number", "minimum": 0, "maximum": 1000, "default": 2.5},
            "friend": {"type": "string", "enum": ["Monica", "Rachel", "Joey", "Chandler", "Ross", "Phoebe"]},
            "instruments": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": ["Guitar", "Piano"]}},
            "hero": {"type": "string", "oneOf": titled(["Superman", "Green Lantern", "Wonder Woman"])},
            "fish": {"type": "array", "maxItems": 3, "items": {"anyOf": titled(["Tuna", "Salmon", "Trout"])}},
            "pet": {"type": "string", "enum": ["pet-1", "pet-2"], "enumNames": ["Cats", "Dogs"]},
        }});
        Ok(match ctx.elicit_form("Please provide inputs for the following fields:", form).await? {
            ElicitationResult::Accepted(answer) => format!("✅ User provided: {}", json!(answer)),
            ElicitationResult::Declined => "❌ User declined to provide the requested information.".into(),
            ElicitationResult::Cancelled => "⚠️ User cancelled the elicitation dialog.".into(),
        })
    }

    /// Trigger a URL elicitation so the client can direct the user to a browser flow.
    #[tool(title = "Trigger URL Elicitation", destructive = false, tags = ["elicitation"])]
    async fn trigger_url_elicitation(
        /// The URL the user should open
        url: &str,
        /// Message shown to the user before opening the URL
        #[arg(default = "Please open the link to complete this action.")]
        message: &str,
        ctx: &Context,
    ) -> Result<String, ToolError> {
        Ok(match ctx.elicit_url(message, url).await? {
            ElicitationResult::Accepted(()) => format!("✅ User agreed to open {url}"),
            ElicitationResult::Declined => "❌ User declined to open the URL.".into(),
            ElicitationResult::Cancelled => "⚠️ User cancelled the URL elicitation.".into(),
        })
    }

    /// Lists the current MCP roots provided by the client, although this server does not access files.
    #[tool(read_only, open_world = false, tags = ["roots"])]
    async fn get_roots_list(ctx: &Context) -> Result<String, ToolError> {
        let roots = ctx.roots().await?;
        let lines = roots.iter().map(|root| format!("\n- {}: {}", root.name.as_deref().unwrap_or("Unnamed"), root.uri));
        Ok(format!("Current MCP Roots ({} total):{}", roots.len(), lines.collect::<String>()))
    }

    /// Plaintext dynamic resource fabricated from the {resourceId} variable, which must be an integer.
    #[resource("demo://resource/dynamic/text/{resourceId}", name = "Dynamic Text Resource")]
    async fn text_resource(#[arg(complete = Self::resource_ids, min = 1)] resource_id: u32) -> String {
        Self::content("plaintext resource", resource_id)
    }

    /// Binary (base64) dynamic resource fabricated from the {resourceId} variable, which must be an integer.
    #[resource("demo://resource/dynamic/blob/{resourceId}", name = "Dynamic Blob Resource")]
    async fn blob_resource(#[arg(complete = Self::resource_ids, min = 1)] resource_id: u32) -> Vec<u8> {
        Self::content("base64 blob", resource_id).into()
    }

    /// A prompt with no arguments
    #[prompt(title = "Simple Prompt")]
    async fn simple_prompt() -> &'static str {
        "This is a simple prompt without arguments."
    }

    /// A prompt with two arguments, one required and one optional
    #[prompt(title = "Arguments Prompt")]
    async fn args_prompt(
        /// Name of the city
        city: &str,
        /// Name of the state
        state: Option<&str>,
    ) -> String {
        format!("What's weather in {city}{}?", state.map(|state| format!(", {state}")).unwrap_or_default())
    }

    /// First argument choice narrows values for second argument.
    #[prompt(title = "Team Management")]
    async fn completable_prompt(
        /// Choose the department.
        #[arg(complete = Self::departments)]
        department: &str,
        /// Choose a team member to lead the selected department.
        #[arg(complete = Self::team)]
        name: &str,
    ) -> String {
        format!("Please promote {name} to the head of the {department} team.")
    }

    /// A prompt that includes an embedded resource reference
    #[prompt(title = "Resource Prompt")]
    async fn resource_prompt(
        /// Type of resource to fetch
        resource_type: ResourceType,
        /// ID of the text resource to fetch
        #[arg(complete = Self::resource_ids, min = 1)]
        resource_id: u32,
        ctx: &Context,
    ) -> Result<Vec<Message>, ToolError> {
        let task =
            format!("This prompt includes the {resource_type} resource with id: {resource_id}. Please analyze it:");
        let resource = ctx.embed_resource(resource_type.uri(resource_id)).await?;
        Ok(vec![Message::user(task), Message::user(resource)])
    }
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    let mut app = App::new("mcp-servers/everything")
        .title("Everything Reference Server")
        .version("2.0.0")
        .instructions("Each tool demonstrates one capability of the protocol, as its description says.")
        // A tool that needs a capability of the client has it as a tag.
        .visible_if(|component, ctx| component.tags().all(|tag| ctx.client_capabilities().contains_key(tag)));
    for file in fs::read_dir("docs").into_iter().flatten().flatten().filter(|entry| entry.path().is_file()) {
        let uri = format!("demo://resource/static/document/{}", file.file_name().to_string_lossy());
        app = app.add_resource(DynamicResource::from_file(uri, file.path()));
    }
    app.state(Everything::default()).run_stdio().await
}
