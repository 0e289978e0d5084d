//! Layers around one component, which its definition or its builder carries until an app takes it.

use std::sync::Arc;

use super::{ErasedLayer, Layer, LayerChain};
use crate::component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
use crate::component::metadata::AttachedLayers;

/// Adds the value of an expression of the option `middleware`.
pub fn add_layer(layers: &mut AttachedLayers, layer: impl Layer) {
    layers.0.push(Box::new(Arc::new(layer) as Arc<dyn ErasedLayer>));
}

impl LayerChain {
    /// Creates the chain of a component's own layers.
    pub(crate) fn attached(layers: AttachedLayers) -> LayerChain {
        let layers = layers.0.into_iter().filter_map(|layer| layer.downcast::<Arc<dyn ErasedLayer>>().ok());
        LayerChain::new(layers.map(|layer| *layer).collect())
    }
}

macro_rules! middleware_methods {
    ($($builder:ident)*) => {$(
        impl $builder {
            /// Adds middleware around this component, inside of the layers of its app. Call it once per layer; the first
            /// one added is the outermost. See [`middleware`](crate::middleware).
            ///
            /// # Example
            ///
            /// ```
            /// use fastmcp_rs::middleware::RateLimit;
            /// use fastmcp_rs::prelude::*;
            /// use serde_json::json;
            ///
            /// let report = DynamicTool::new("report", json!({"type": "object"}), |_, _| async {
            ///     Ok::<_, ToolError>("42 orders")
            /// })
            /// .middleware(RateLimit::per_minute(6.0));
            /// # assert!(App::empty("orders").add_tool(report).check().is_ok());
            /// ```
            pub fn middleware(mut self, layer: impl Layer) -> $builder {
                add_layer(&mut self.base.layers, layer);
                self
            }
        }
    )*};
}
middleware_methods!(DynamicTool DynamicResource DynamicPrompt);
