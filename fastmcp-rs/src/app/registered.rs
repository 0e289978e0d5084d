//! The components that the macros registered in the whole program, in the order of the source.

use std::any::TypeId;

use crate::checks::problem::Location;
use crate::component::component_set::{ComponentSet, ServerExtension};
use crate::component::prompt::{PromptDefinition, RegisteredPrompt};
use crate::component::resource::{RegisteredResource, ResourceDefinition};
use crate::component::tool::{RegisteredTool, ToolDefinition};
use crate::context::change_hub::ListKind;
use crate::registry::{Registration, sort_indices};

/// Returns the components that registered themselves at the selected places. `inventory` guarantees no order, so this
/// function sorts them.
pub(super) fn registered_components(is_wanted: impl Fn(&Location) -> bool) -> Vec<Registration> {
    let tools = inventory::iter::<RegisteredTool>().map(|tool| tool.0);
    let tools: Vec<_> = tools.filter(|tool| is_wanted(&tool.component.location)).collect();
    let resources = inventory::iter::<RegisteredResource>().map(|resource| resource.0);
    let resources: Vec<_> = resources.filter(|resource| is_wanted(&resource.component.location)).collect();
    let prompts = inventory::iter::<RegisteredPrompt>().map(|prompt| prompt.0);
    let prompts: Vec<_> = prompts.filter(|prompt| is_wanted(&prompt.component.location)).collect();
    sorted_registrations(&tools, &resources, &prompts)
}

/// Returns the components of a type: those of its first block, and those of its further blocks in the order of the
/// source.
pub(super) fn components_of<S: ComponentSet>() -> Vec<Registration> {
    let (mut tools, mut resources, mut prompts) = (Vec::new(), Vec::new(), Vec::new());
    for extension in extensions(TypeId::of::<S>()) {
        tools.extend_from_slice(extension.tools);
        resources.extend_from_slice(extension.resources);
        prompts.extend_from_slice(extension.prompts);
    }
    Registration::set::<S>().chain(sorted_registrations(&tools, &resources, &prompts)).collect()
}

/// Returns where the components of a type are defined, each with its list and its name or URI.
pub(super) fn definitions_of<S: ComponentSet>() -> Vec<(ListKind, &'static str, Location)> {
    let mut found = Vec::new();
    let mut add = |tools: &[&'static ToolDefinition],
                   resources: &[&'static ResourceDefinition],
                   prompts: &[&'static PromptDefinition]| {
        found.extend(tools.iter().map(|tool| (ListKind::Tools, tool.component.name, tool.component.location)));
        found.extend(resources.iter().map(|one| (ListKind::Resources, one.uri, one.component.location)));
        found.extend(prompts.iter().map(|one| (ListKind::Prompts, one.component.name, one.component.location)));
    };
    add(S::TOOLS, S::RESOURCES, S::PROMPTS);
    for extension in extensions(TypeId::of::<S>()) {
        add(extension.tools, extension.resources, extension.prompts);
    }
    found
}

fn extensions(server: TypeId) -> impl Iterator<Item = &'static ServerExtension> {
    inventory::iter::<ServerExtension>().filter(move |extension| (extension.server)() == server)
}

fn sorted_registrations(
    tools: &[&'static ToolDefinition],
    resources: &[&'static ResourceDefinition],
    prompts: &[&'static PromptDefinition],
) -> Vec<Registration> {
    let mut added = Vec::with_capacity(tools.len() + resources.len() + prompts.len());
    let ordered = sort_indices(tools.iter().map(|tool| (tool.component.name, tool.component.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::tool(tools[at])));
    let ordered = sort_indices(resources.iter().map(|resource| (resource.uri, resource.component.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::resource(resources[at])));
    let ordered =
        sort_indices(prompts.iter().map(|prompt| (prompt.component.name, prompt.component.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::prompt(prompts[at])));
    added
}
