//! Prompts: messages that a person selects and fills in to begin a conversation.

use std::marker::PhantomData;

use crate::component::describe::Description;
use crate::component::metadata::ComponentDefinition;
use crate::component::output::{OutputDescription, OutputKind, ValueType};
use crate::component::result_writer::ResultWriter;
use crate::content::Content;
use crate::content::message::Message;
use crate::error::ToolError;

/// A function that `#[mcp::prompt]` turned into a prompt.
///
/// The macro implements it for a type with the function's name, so that a prompt can be registered by hand:
/// `App::empty("x").prompt::<refund_review>()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt",
    label = "not a function with `#[mcp::prompt]`",
    note = "put `#[mcp::prompt]` on a function and name that function here",
    note = "`.tool::<..>()` and `.resource::<..>()` register the other components, and `.server::<Type>()` all methods of a type"
)]
pub trait Prompt: PromptHandle {}

#[diagnostic::do_not_recommend]
impl<T: PromptHandle> Prompt for T {}

/// The type that stands for a prompt. Only `#[mcp::prompt]` implements it, which seals [`Prompt`].
#[doc(hidden)]
pub trait PromptHandle {
    /// The macro's data about the prompt.
    const DEFINITION: &'static PromptDefinition;
}

/// The static definition of a prompt, known at compile time.
#[doc(hidden)]
#[derive(Debug)]
pub struct PromptDefinition {
    pub component: ComponentDefinition,
}

/// The registration of a prompt by its macro.
#[doc(hidden)]
pub struct RegisteredPrompt(pub &'static PromptDefinition);

inventory::collect!(RegisteredPrompt);

/// A type that a prompt can return: a text or a block (one message of the user), [`Message`], or a `Vec` of messages.
#[diagnostic::on_unimplemented(
    message = "a prompt cannot return `{Self}`",
    label = "not a message",
    note = "return `String`, `Message` or `Vec<Message>`; each can be in a `Result`"
)]
pub trait IntoMessages {
    /// Converts the value into messages.
    fn into_messages(self) -> Vec<Message>;
}

macro_rules! one_message {
    ($($ty:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl IntoMessages for $ty {
            fn into_messages(self) -> Vec<Message> {
                vec![Message::user(self)]
            }
        }
    )*};
}
one_message!(
    String,
    &str,
    Content,
    crate::content::Text,
    crate::content::Image,
    crate::content::Audio,
    crate::content::EmbeddedResource,
    crate::content::ResourceLink
);

#[diagnostic::do_not_recommend]
impl IntoMessages for Message {
    fn into_messages(self) -> Vec<Message> {
        vec![self]
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoMessages> IntoMessages for Vec<T> {
    fn into_messages(self) -> Vec<Message> {
        self.into_iter().flat_map(T::into_messages).collect()
    }
}

#[doc(hidden)]
pub struct UncheckedMessages<T>(PhantomData<fn() -> T>);

impl<T> UncheckedMessages<T> {
    pub fn checked(self) -> MessagesOutput
    where
        T: IntoMessages,
    {
        MessagesOutput
    }
}

#[doc(hidden)]
pub struct MessagesOutput;

impl OutputDescription for MessagesOutput {
    fn describe(&self, _: &mut Description) {}
}

impl<V: IntoMessages> OutputKind<V> for MessagesOutput {
    type Rendered = Vec<Message>;

    fn write(&self, value: V, writer: &mut ResultWriter<'_>) {
        writer.messages(&value.into_messages());
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        Ok(value.into_messages())
    }

    fn write_rendered(messages: Self::Rendered, writer: &mut ResultWriter<'_>) {
        writer.messages(&messages);
    }
}

/// The trait by which a prompt's return type is named; see [the parameters' probe](super::parameter::probe).
#[doc(hidden)]
#[allow(unreachable_pub)] // It is exported as `_`.
pub mod probe {
    use super::*;

    pub trait MessagesType<T> {
        fn prompt_kind(&self) -> UncheckedMessages<T>;
    }
    impl<T> MessagesType<T> for ValueType<T> {
        fn prompt_kind(&self) -> UncheckedMessages<T> {
            UncheckedMessages(PhantomData)
        }
    }
}
