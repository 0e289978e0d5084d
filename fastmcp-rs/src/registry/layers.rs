//! The layers that an app gives to its components: to all of them, or to those that a selector matches.

use super::selector::Selector;
use crate::middleware::LayerChain;

/// The layers of an app and of the apps in which it is mounted.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppLayers {
    /// The layers around every operation, of all these apps together.
    pub(crate) all: LayerChain,
    /// The layers of each app, outermost first.
    apps: Vec<LayersOfApp>,
}

#[derive(Clone, Debug)]
struct LayersOfApp {
    all: LayerChain,
    /// The layers for some components only, outermost first.
    selected: Vec<(Selector, LayerChain)>,
}

impl AppLayers {
    /// Adds the layers of an app that is mounted in the innermost app so far.
    pub(crate) fn with_app(&self, all: LayerChain, selected: Vec<(Selector, LayerChain)>) -> AppLayers {
        let mut layers = AppLayers { all: self.all.wrap(&all), apps: self.apps.clone() };
        layers.apps.push(LayersOfApp { all, selected });
        layers
    }

    /// Returns the layers of a component with its own layers innermost. `is_selected` compares a selector with the
    /// component as an app sees it; the app is given by its depth.
    pub(super) fn around(&self, own: &LayerChain, is_selected: impl Fn(&Selector, usize) -> bool) -> LayerChain {
        if self.apps.iter().all(|app| app.selected.is_empty()) {
            // Most components share the chain of their app.
            return self.all.wrap(own);
        }
        let mut chain = LayerChain::default();
        for (depth, app) in self.apps.iter().enumerate() {
            chain = chain.wrap(&app.all);
            for (_, layers) in app.selected.iter().filter(|(selector, _)| is_selected(selector, depth)) {
                chain = chain.wrap(layers);
            }
        }
        chain.wrap(own)
    }
}
