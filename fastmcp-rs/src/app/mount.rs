//! Apps that are mounted in other apps.

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::App;
use crate::checks::components::unmatched_layer;
use crate::checks::problem::Problem;
use crate::context::change_hub::ChangeHub;
use crate::context::states::StateOwner;
use crate::engine::ShutdownTask;
use crate::error::Error;
use crate::middleware::LayerChain;
use crate::registry::{AppLayers, AppSettings, VisibilityRule};

impl App {
    /// Mounts another app in this app, under a namespace: its tool `charge` becomes `pay_charge`, its prompts likewise,
    /// and its resource `orders://{id}` becomes `orders://pay/{id}`. Resources keep their names.
    ///
    /// The other app keeps its states, its time limit, its function for [`App::visible_if`], its state factories and
    /// shutdown hooks, and its handles, whose changes appear under the namespace. All other settings, such as its name,
    /// its version, caching and page size, are replaced by those of this app. Mounted apps can have mounted apps
    /// themselves.
    ///
    /// A namespace begins with an ASCII letter or digit, and contains only ASCII letters, digits, `_`, `-` and `.`. The
    /// app does not start if a namespace has another form, or if two components end up with the same name or URI.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Charges a card.
    /// #[mcp::tool]
    /// fn charge(cents: u32) -> String {
    ///     format!("charged {cents}")
    /// }
    ///
    /// let payments = App::empty("payments").tool::<charge>();
    /// let shop = App::empty("shop").mount("pay", payments);
    /// assert_eq!(shop.tool_names(), ["pay_charge"]);
    /// ```
    pub fn mount(mut self, namespace: impl AsRef<str>, app: App) -> App {
        let namespace = namespace.as_ref();
        match self.tree.mount(namespace, &app.tree) {
            Ok(()) => {
                self.state_owner.adopt(&app.state_owner);
                self.mounted.push((namespace.into(), app));
            }
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    /// Collects the problems of this app, mounted under some namespaces, and of the apps that are mounted in it.
    pub(super) fn collect_problems(&mut self, namespaces: &[Box<str>], problems: &mut Vec<Problem>) {
        problems.append(&mut self.problems);
        let states = self.state_types(problems);
        problems.extend(self.unmatched_layers());
        problems.extend(self.tree.problems(namespaces, &states));
        for (name, app) in &mut self.mounted {
            let inner: Vec<Box<str>> = namespaces.iter().chain([&*name]).cloned().collect();
            app.collect_problems(&inner, problems);
        }
    }

    /// Returns a problem for each selector of a layer that matches no component, unless one may be added later.
    fn unmatched_layers(&self) -> Vec<Problem> {
        if self.tree.is_dynamic() {
            return Vec::new();
        }
        let unmatched = self.selected_layers.iter().filter(|(selector, _)| !self.tree.has_match(selector));
        unmatched.map(|(selector, _)| unmatched_layer(&selector.to_string())).collect()
    }

    /// Makes the states of this app and of its mounted apps, and activates their components.
    ///
    /// `layers` and `visibility_rules` are those of the surrounding apps; `changes` and `owner` are the change hub and
    /// the owner of the states of the outermost app.
    pub(super) fn activate<'a>(
        &'a mut self,
        namespaces: Vec<Box<str>>,
        layers: AppLayers,
        mut visibility_rules: Vec<VisibilityRule>,
        changes: &'a Arc<ChangeHub>,
        owner: &'a StateOwner,
        shutdown_tasks: &'a mut Vec<ShutdownTask>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
        Box::pin(async move {
            // Every context has the states, and so can report changes.
            self.states.insert(TypeId::of::<ChangeHub>(), Arc::downgrade(changes) as _);
            self.provide_handle(owner);
            let states = self.make_states(owner).await?;
            shutdown_tasks.extend(self.shutdown_tasks(&states));
            if let Some(function) = self.visibility.take() {
                visibility_rules.push(VisibilityRule {
                    function,
                    states: Arc::clone(&states),
                    depth: namespaces.len(),
                });
            }
            let own = LayerChain::new(std::mem::take(&mut self.layers));
            let layers = layers.with_app(own, std::mem::take(&mut self.selected_layers));
            self.tree.activate(AppSettings {
                states: Arc::clone(&states),
                namespaces: namespaces.as_slice().into(),
                default_timeout: (!namespaces.is_empty()).then_some(self.config.timeout),
                layers: layers.clone(),
                visibility_rules: visibility_rules.clone(),
            });
            // Components that a handle has added while states were made.
            let missing = self.tree.problems(&namespaces, &states.keys().copied().collect());
            if !missing.is_empty() {
                return Err(Error::configuration(missing));
            }
            for (name, app) in &mut self.mounted {
                let inner = namespaces.iter().chain([&*name]).cloned().collect();
                app.activate(inner, layers.clone(), visibility_rules.clone(), changes, owner, shutdown_tasks).await?;
            }
            Ok(())
        })
    }

    /// Activates the components without states, so that they have their names, for callers that only list them.
    #[cfg(feature = "testing")]
    pub(super) fn activate_without_states(&self, namespaces: Vec<Box<str>>) {
        for (name, app) in &self.mounted {
            app.activate_without_states(namespaces.iter().chain([name]).cloned().collect());
        }
        self.tree.activate(AppSettings {
            states: Arc::default(),
            namespaces: namespaces.into(),
            default_timeout: None,
            layers: AppLayers::default(),
            visibility_rules: Vec::new(),
        });
    }
}
