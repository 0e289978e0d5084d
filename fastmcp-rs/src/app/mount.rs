//! Apps inside of apps.

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::App;
use crate::context::change_hub::Hub;
use crate::context::states::StateOwner;
use crate::engine::Ending;
use crate::error::Error;
use crate::middleware::Chain;
use crate::registry::{Setting, Watch};

impl App {
    /// Puts another app into this one, under a namespace: its tool `charge` becomes `pay_charge`, its prompts
    /// likewise, and its resource `orders://{id}` becomes `orders://pay/{id}`. Resources keep their names.
    ///
    /// The other app keeps its states, its time limit, its function for [`App::visible`], what it does at start and
    /// at the end, and its handles, whose changes appear under the namespace. Everything else that was said of it,
    /// such as its name, its version, caching and page size, gives way to what this app says. Apps can be mounted in
    /// mounted apps.
    ///
    /// A namespace begins with an ASCII letter or digit, and holds letters, digits, `_`, `-` and `.`. With another
    /// one, or if two components then have one name or URI, the app does not start.
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
        match self.scope.mount(namespace, &app.scope) {
            Ok(()) => {
                self.state_owner.adopt(&app.state_owner);
                self.mounted.push((namespace.into(), app));
            }
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    /// Collects what is wrong with this app, mounted under some namespaces, and those that are mounted in it.
    pub(super) fn collect_problems(&mut self, namespaces: &[Box<str>], problems: &mut Vec<String>) {
        problems.append(&mut self.problems);
        let states = self.state_types(problems);
        problems.extend(self.scope.problems(namespaces, &states));
        for (name, app) in &mut self.mounted {
            let inner: Vec<Box<str>> = namespaces.iter().chain([&*name]).cloned().collect();
            app.collect_problems(&inner, problems);
        }
    }

    /// Makes the states of this app and of those that are mounted in it, and lets their components be served.
    ///
    /// `layers` and `gates` are those of the apps around, `changes` is where the outermost tells of changes, and `owner`
    /// is that of its states.
    pub(super) fn serve<'a>(
        &'a mut self,
        namespaces: Vec<Box<str>>,
        layers: Chain,
        mut gates: Vec<Watch>,
        changes: &'a Arc<Hub>,
        owner: &'a StateOwner,
        endings: &'a mut Vec<Ending>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
        Box::pin(async move {
            // Every context has the states, and so a way to tell of changes.
            self.states.insert(TypeId::of::<Hub>(), Arc::downgrade(changes) as _);
            let states = self.make_states(owner).await?;
            endings.extend(self.endings(&states));
            if let Some(visible) = self.visible.take() {
                gates.push(Watch { visible, states: Arc::clone(&states), depth: namespaces.len() });
            }
            let layers = layers.around(&Chain::new(std::mem::take(&mut self.layers)));
            self.scope.serve(Setting {
                states: Arc::clone(&states),
                namespaces: namespaces.as_slice().into(),
                default_timeout: (!namespaces.is_empty()).then_some(self.config.timeout),
                layers: layers.clone(),
                gates: gates.clone(),
            });
            // What a handle has added while states were made.
            let missing = self.scope.problems(&namespaces, &states.keys().copied().collect());
            if !missing.is_empty() {
                return Err(Error::configuration(missing));
            }
            for (name, app) in &mut self.mounted {
                let inner = namespaces.iter().chain([&*name]).cloned().collect();
                app.serve(inner, layers.clone(), gates.clone(), changes, owner, endings).await?;
            }
            Ok(())
        })
    }

    /// Gives components their names, for one who only wants to see them.
    #[cfg(feature = "testing")]
    pub(super) fn serve_without_states(&self, namespaces: Vec<Box<str>>) {
        for (name, app) in &self.mounted {
            app.serve_without_states(namespaces.iter().chain([name]).cloned().collect());
        }
        self.scope.serve(Setting {
            states: Arc::default(),
            namespaces: namespaces.into(),
            default_timeout: None,
            layers: Chain::default(),
            gates: Vec::new(),
        });
    }
}
