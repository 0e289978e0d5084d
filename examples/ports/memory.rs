//! The reference memory server of the protocol, ported: a knowledge graph that a model reads and extends.
//!
//! ```sh
//! MEMORY_FILE_PATH=memory.jsonl cargo run --example memory
//! ```

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use fastmcp_rs::prelude::*;

const GRAPH_URI: &str = "memory://knowledge-graph";

type Result<T> = std::result::Result<T, ToolError>;

/// A person, a thing or an idea, with the facts that are known about it.
#[mcp::model(rename_all = "camelCase")]
#[derive(Clone)]
struct Entity {
    name: String,
    entity_type: String,
    observations: Vec<String>,
}

/// A relation between two entities, in the active voice.
#[mcp::model(rename_all = "camelCase")]
#[derive(Clone, PartialEq)]
struct Relation {
    /// The name of the entity where the relation starts.
    from: String,
    /// The name of the entity where the relation ends.
    to: String,
    relation_type: String,
}

#[mcp::model]
#[derive(Default)]
struct Graph {
    entities: Vec<Entity>,
    relations: Vec<Relation>,
}

#[mcp::model(input, rename_all = "camelCase")]
struct Addition {
    /// The name of the entity that gets the observations.
    entity_name: String,
    contents: Vec<String>,
}

#[mcp::model(input, rename_all = "camelCase")]
struct Deletion {
    /// The name of the entity that has the observations.
    entity_name: String,
    observations: Vec<String>,
}

#[mcp::model(output, rename_all = "camelCase")]
struct Added {
    entity_name: String,
    added_observations: Vec<String>,
}

#[mcp::model(output)]
struct Entities {
    entities: Vec<Entity>,
}

#[mcp::model(output)]
struct Relations {
    relations: Vec<Relation>,
}

#[mcp::model(output)]
struct Additions {
    results: Vec<Added>,
}

#[mcp::model(output)]
struct Done {
    success: bool,
    message: &'static str,
}

fn done(message: &'static str) -> Result<Structured<Done>> {
    Ok(Structured::new(Done { success: true, message }).text(message))
}

/// A line of the file.
#[mcp::model(rename_all = "lowercase")]
#[serde(tag = "type")]
enum Line {
    Entity(Entity),
    Relation(Relation),
}

impl Graph {
    fn entity(&mut self, name: &str) -> Option<&mut Entity> {
        self.entities.iter_mut().find(|entity| entity.name == name)
    }

    /// Keeps some of the entities, and the relations from or to them.
    fn only(mut self, keep: impl Fn(&Entity) -> bool) -> Graph {
        self.entities.retain(keep);
        let is_kept = |name: &str| self.entities.iter().any(|entity| entity.name == name);
        self.relations.retain(|relation| is_kept(&relation.from) || is_kept(&relation.to));
        self
    }
}

struct Memory {
    path: PathBuf,
    changes: Mutex<()>,
}

impl Memory {
    fn change<T>(&self, ctx: &Context, change: impl FnOnce(&mut Graph) -> Result<T>) -> Result<T> {
        let _one_at_a_time = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut graph = self.read_graph()?;
        let result = change(&mut graph)?;
        let entities = graph.entities.into_iter().map(Line::Entity);
        let lines = entities.chain(graph.relations.into_iter().map(Line::Relation));
        let lines: Vec<String> = lines.map(|line| serde_json::to_string(&line)).collect::<serde_json::Result<_>>()?;
        // A reader never sees half a file.
        fs::write(self.path.with_extension("new"), lines.join("\n"))?;
        fs::rename(self.path.with_extension("new"), &self.path)?;
        ctx.notify_resource_updated(GRAPH_URI);
        Ok(result)
    }
}

#[mcp::server(rename_all = "camelCase")]
impl Memory {
    /// Create multiple new entities in the knowledge graph
    #[tool(destructive = false, open_world = false)]
    fn create_entities(&self, mut entities: Vec<Entity>, ctx: &Context) -> Result<Entities> {
        self.change(ctx, |graph| {
            entities.retain(|entity| graph.entity(&entity.name).is_none());
            graph.entities.extend(entities.iter().cloned());
            Ok(Entities { entities })
        })
    }

    /// Create multiple new relations between entities in the knowledge graph. Relations should be in active voice
    #[tool(destructive = false, open_world = false)]
    fn create_relations(&self, mut relations: Vec<Relation>, ctx: &Context) -> Result<Relations> {
        self.change(ctx, |graph| {
            relations.retain(|relation| !graph.relations.contains(relation));
            graph.relations.extend(relations.iter().cloned());
            Ok(Relations { relations })
        })
    }

    /// Add new observations to existing entities in the knowledge graph
    #[tool(destructive = false, open_world = false)]
    fn add_observations(&self, observations: Vec<Addition>, ctx: &Context) -> Result<Additions> {
        self.change(ctx, |graph| {
            let results = observations.into_iter().map(|Addition { entity_name, mut contents }| {
                let missing = || ToolError::new(format!("Entity with name {entity_name} not found"));
                let entity = graph.entity(&entity_name).ok_or_else(missing)?;
                contents.retain(|content| !entity.observations.contains(content));
                entity.observations.extend(contents.iter().cloned());
                Ok(Added { entity_name, added_observations: contents })
            });
            Ok(Additions { results: results.collect::<Result<_>>()? })
        })
    }

    /// Delete multiple entities and their associated relations from the knowledge graph
    #[tool(idempotent, open_world = false)]
    fn delete_entities(&self, entity_names: Vec<String>, ctx: &Context) -> Result<Structured<Done>> {
        self.change(ctx, |graph| {
            let is_kept = |name: &String| !entity_names.contains(name);
            graph.entities.retain(|entity| is_kept(&entity.name));
            graph.relations.retain(|relation| is_kept(&relation.from) && is_kept(&relation.to));
            done("Entities deleted successfully")
        })
    }

    /// Delete specific observations from entities in the knowledge graph
    #[tool(idempotent, open_world = false)]
    fn delete_observations(&self, deletions: Vec<Deletion>, ctx: &Context) -> Result<Structured<Done>> {
        self.change(ctx, |graph| {
            for Deletion { entity_name, observations } in &deletions {
                let entity = graph.entity(entity_name).into_iter();
                entity.for_each(|entity| entity.observations.retain(|one| !observations.contains(one)));
            }
            done("Observations deleted successfully")
        })
    }

    /// Delete multiple relations from the knowledge graph
    #[tool(idempotent, open_world = false)]
    fn delete_relations(&self, relations: Vec<Relation>, ctx: &Context) -> Result<Structured<Done>> {
        self.change(ctx, |graph| {
            graph.relations.retain(|relation| !relations.contains(relation));
            done("Relations deleted successfully")
        })
    }

    /// Read the entire knowledge graph
    #[tool(read_only, open_world = false)]
    fn read_graph(&self) -> Result<Graph> {
        let mut graph = Graph::default();
        let text = if self.path.exists() { fs::read_to_string(&self.path)? } else { String::new() };
        for line in text.lines().filter(|line| !line.is_empty()) {
            match serde_json::from_str(line)? {
                Line::Entity(entity) => graph.entities.push(entity),
                Line::Relation(relation) => graph.relations.push(relation),
            }
        }
        Ok(graph)
    }

    /// Search for nodes in the knowledge graph by a text in the names, types and observations of entities
    #[tool(read_only, open_world = false)]
    fn search_nodes(&self, query: &str) -> Result<Graph> {
        let query = query.to_lowercase();
        let has = |text: &String| text.to_lowercase().contains(&query);
        let is_match = |one: &Entity| has(&one.name) || has(&one.entity_type) || one.observations.iter().any(has);
        Ok(self.read_graph()?.only(is_match))
    }

    /// Open specific nodes in the knowledge graph by their names
    #[tool(read_only, open_world = false)]
    fn open_nodes(&self, names: Vec<String>) -> Result<Graph> {
        Ok(self.read_graph()?.only(|entity| names.contains(&entity.name)))
    }

    /// The full knowledge graph with all entities and relations
    #[resource(GRAPH_URI, name = "knowledge-graph", mime_type = "application/json")]
    fn knowledge_graph(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.read_graph()?)?)
    }
}

#[mcp::main]
async fn main() -> std::result::Result<(), fastmcp_rs::Error> {
    let path = std::env::var_os("MEMORY_FILE_PATH").map_or("memory.jsonl".into(), PathBuf::from);
    App::new("memory-server").state(Memory { path, changes: Mutex::default() }).run_stdio().await
}
