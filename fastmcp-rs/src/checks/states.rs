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

    /// Returns a problem for each missing state of an app that is mounted under these namespaces.
    pub(crate) fn into_problems(self, namespaces: &[Box<str>]) -> Vec<Problem> {
        let app = match namespaces {
            [] => "the app".to_owned(),
            names => format!("the app that is mounted as `{}`", names.join("_")),
        };
        let told = self.0.into_iter().map(|(name, _, wanted_by)| {
            let verb = if wanted_by.len() == 1 { "wants" } else { "want" };
            let text = format!("it has no state of type `{name}`, which {} {verb}", wanted_by.join(", "));
            Problem::new(app.clone(), text, "add `.state(…)` with such a value")
        });
        told.collect()
    }
}

/// Reports that an app was given two states of one type.
pub(crate) fn duplicate_state(name: &str) -> Problem {
    let text = format!("the app was given two states of type `{name}`");
    Problem::new(format!("state `{name}`"), text, "put one of them into a type of its own")
}

/// Reports that a state is made from a state that does not exist yet.
pub(crate) fn state_made_too_early(name: &str, required: &str) -> Problem {
    let text = format!("it is made from one of type `{required}`, which is not there yet");
    let fix = "add `.state(…)` or `.state_with(…)` with such a value before it";
    Problem::new(format!("state `{name}`"), text, fix)
}

/// Reports that a shutdown function needs a state that does not exist.
pub(crate) fn missing_in_shutdown(required: &str) -> Problem {
    let text = format!("it wants a state of type `{required}`");
    Problem::new("`App::on_shutdown`", text, "add `.state(…)` with such a value")
}

/// Reports a component that is added to an app whose server has ended.
pub(crate) fn retired_app(noun: &str, name: &str, location: Location) -> Problem {
    Problem::new(format!("{noun} `{name}`"), "its app is not served any more", "make a new app")
        .at(location.to_string())
}
