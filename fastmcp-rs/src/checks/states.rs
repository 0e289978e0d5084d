//! States that an app lacks or has twice, and apps that have ended.

use std::any::TypeId;
use std::collections::BTreeMap;

use super::problem::{Location, Problem};

/// The missing states, each once, with the names of the components that need it.
#[derive(Default)]
pub(crate) struct MissingStates(Vec<(&'static str, TypeId, Vec<String>)>);

impl MissingStates {
    /// Adds the states that a component requires and that `has` does not find.
    pub(crate) fn check_component(
        &mut self,
        component: &str,
        required: &BTreeMap<TypeId, &'static str>,
        has: impl Fn(&TypeId) -> bool,
    ) {
        for (id, name) in required.iter().filter(|(id, _)| !has(id)) {
            let component = format!("`{component}`");
            match self.0.iter_mut().find(|(_, missing, _)| missing == id) {
                Some((_, _, wanted_by)) => wanted_by.push(component),
                None => self.0.push((name, *id, vec![component])),
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a problem for each missing state of an app that is mounted under these namespaces.
    pub(crate) fn into_problems(self, namespaces: &[Box<str>]) -> Vec<Problem> {
        let app = match namespaces {
            [] => "the app".to_owned(),
            names => format!("the app that is mounted as `{}`", names.join("_")),
        };
        let told = self.0.into_iter().map(|(name, _, wanted_by)| {
            let verb = if wanted_by.len() == 1 { "needs" } else { "need" };
            let text = format!("it has no state of type `{name}`, which {} {verb}", wanted_by.join(", "));
            Problem::new(app.clone(), text, "add it with `.state(…)`")
        });
        told.collect()
    }
}

/// Reports that an app has two states of one type.
pub(crate) fn duplicate_state(name: &str) -> Problem {
    let text = format!("the app has two states of type `{name}`");
    Problem::new(format!("state `{name}`"), text, "wrap one of them in a type of its own")
}

/// Reports that a state needs a state that is not created before it.
pub(crate) fn state_made_too_early(name: &str, required: &str) -> Problem {
    let text = format!("it needs a state of type `{required}`");
    let fix = "add it with `.state(…)` or `.state_with(…)` before this one";
    Problem::new(format!("state `{name}`"), text, fix)
}

/// Reports that a shutdown function needs a state that does not exist.
pub(crate) fn missing_in_shutdown(required: &str) -> Problem {
    let text = format!("it needs a state of type `{required}`");
    Problem::new("`App::on_shutdown`", text, "add it with `.state(…)`")
}

/// Reports a component that is added to an app whose server has ended.
pub(crate) fn retired_app(noun: &str, name: &str, location: Location) -> Problem {
    Problem::new(format!("{noun} `{name}`"), "its app is no longer served", "create a new app").at(location.to_string())
}
