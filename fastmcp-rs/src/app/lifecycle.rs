//! State factories, which run when an app starts, and shutdown hooks, which run when it ends.

use std::any::{TypeId, type_name};
use std::collections::HashSet;
use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{App, AppHandle};
use crate::checks::problem::Problem;
use crate::checks::states;
use crate::component::extract::{Requirements, State};
use crate::context::states::{OwnedState, StateOwner, States, find};
use crate::engine::ShutdownTask;
use crate::error::Error;
use crate::util::catch_panic;
use crate::util::operator_log::{self, FINAL_FLUSH_TIMEOUT};

type StateFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// A function that runs with the existing states.
type StateFn<T> = Box<dyn FnOnce(&States) -> StateFuture<T> + Send>;
type StateError = Box<dyn StdError + Send + Sync>;

/// Makes a state when the app starts.
pub(super) struct StateConstructor {
    id: TypeId,
    name: &'static str,
    requirements: Requirements,
    make: StateFn<Result<OwnedState, StateError>>,
}

/// Runs when the app ends.
pub(super) struct ShutdownFunction {
    requirements: Requirements,
    work: StateFn<()>,
}

/// A function for [`App::state_with`]: `async`, with at most three parameters, each a [`State`], and a `Result` whose
/// error implements `Display`.
#[diagnostic::on_unimplemented(
    message = "this function cannot create a state",
    label = "not a state factory",
    note = "it takes at most three `State<T>`, is `async`, and returns `Result<T, E>`, where `E` is an error, as in `|| async {{ Ok::<Pool, std::io::Error>(pool) }}`"
)]
pub trait StateFactory<Parameters>: sealed::StateFactory<Parameters> {}

#[diagnostic::do_not_recommend]
impl<P, F: sealed::StateFactory<P>> StateFactory<P> for F {}

/// A function for [`App::on_shutdown`]: `async`, with at most three parameters, each a [`State`].
#[diagnostic::on_unimplemented(
    message = "this function cannot run at shutdown",
    label = "not a shutdown hook",
    note = "it takes at most three `State<T>`, is `async`, and returns nothing, as in `|pool: State<Pool>| async move {{ pool.close().await }}`"
)]
pub trait ShutdownHook<Parameters>: sealed::ShutdownHook<Parameters> {}

#[diagnostic::do_not_recommend]
impl<P, F: sealed::ShutdownHook<P>> ShutdownHook<P> for F {}

/// The methods of the two traits, which only this crate calls and implements.
mod sealed {
    use super::{Requirements, StateError, StateFuture, States};

    pub trait StateFactory<Parameters>: Send + 'static {
        /// The type of the state.
        type Value: Send + Sync + 'static;

        fn requirements(requirements: &mut Requirements);

        fn make(self, states: &States) -> StateFuture<Result<Self::Value, StateError>>;
    }

    pub trait ShutdownHook<Parameters>: Send + 'static {
        fn requirements(requirements: &mut Requirements);

        fn run(self, states: &States) -> StateFuture<()>;
    }
}

/// Returns the state of a type. The checks before the start make sure that it exists.
fn find_state<T: Send + Sync + 'static>(states: &States) -> Result<State<T>, StateError> {
    find(states).map(State::from_arc).ok_or_else(|| format!("there is no state of type `{}`", type_name::<T>()).into())
}

macro_rules! functions {
    ($($state:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<F, W, T, E, $($state: Send + Sync + 'static),*> sealed::StateFactory<($($state,)*)> for F
        where
            F: FnOnce($(State<$state>),*) -> W + Send + 'static,
            W: Future<Output = Result<T, E>> + Send + 'static,
            T: Send + Sync + 'static,
            E: Into<StateError>,
        {
            type Value = T;

            fn requirements(requirements: &mut Requirements) {
                // Without states, the parameter has no use.
                let _ = &requirements;
                $(requirements.state::<$state>();)*
            }

            #[allow(non_snake_case)]
            fn make(self, states: &States) -> StateFuture<Result<T, StateError>> {
                let _ = states;
                $(let $state = find_state::<$state>(states);)*
                Box::pin(async move { self($($state?),*).await.map_err(Into::into) })
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, W, $($state: Send + Sync + 'static),*> sealed::ShutdownHook<($($state,)*)> for F
        where
            F: FnOnce($(State<$state>),*) -> W + Send + 'static,
            W: Future<Output = ()> + Send + 'static,
        {
            fn requirements(requirements: &mut Requirements) {
                // Without states, the parameter has no use.
                let _ = &requirements;
                $(requirements.state::<$state>();)*
            }

            #[allow(non_snake_case)]
            fn run(self, states: &States) -> StateFuture<()> {
                let _ = states;
                $(let $state = find_state::<$state>(states);)*
                Box::pin(async move {
                    $(let Ok($state) = $state else { return };)*
                    self($($state),*).await;
                })
            }
        }
    };
}
functions!();
functions!(A);
functions!(A, B);
functions!(A, B, C);

impl App {
    /// Makes a state when the app starts, such as a connection to a database.
    ///
    /// The function is `async` and takes at most three other states: those of [`App::state`], and those that this
    /// method has registered before. States are made one after another, in the order of registration, before the first
    /// message is read, and dropped in the reverse order (see [`App::state`]). Each app has one state per type.
    ///
    /// If the function fails or panics, the app does not start: the `run` method returns an [`Error`](crate::Error)
    /// that names the type and the failure. A panic is also logged with its location. A server on standard input and
    /// output does not wait for the function if the client closes its end, the parent process ends, or the process is
    /// asked to stop; if the client has sent requests before, they get five seconds. [`App::check`] does not run the
    /// function, and counts its type as present.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// struct Settings {
    ///     file: String,
    /// }
    ///
    /// struct Notes(String);
    ///
    /// async fn load(settings: State<Settings>) -> Result<Notes, std::io::Error> {
    ///     Ok(Notes(std::fs::read_to_string(&settings.file)?))
    /// }
    ///
    /// /// Shows the notes.
    /// #[mcp::tool]
    /// fn notes(notes: State<Notes>) -> String {
    ///     notes.0.clone()
    /// }
    ///
    /// let app = App::empty("notes")
    ///     .state_with(|| async { Ok::<_, std::env::VarError>(Settings { file: std::env::var("NOTES")? }) })
    ///     .state_with(load)
    ///     .tool::<notes>();
    /// assert!(app.check().is_ok());
    /// ```
    pub fn state_with<P, F: StateFactory<P>>(mut self, make: F) -> App {
        let mut requirements = Requirements::default();
        F::requirements(&mut requirements);
        self.state_constructors.push(StateConstructor {
            id: TypeId::of::<F::Value>(),
            name: type_name::<F::Value>(),
            requirements,
            make: Box::new(|states| {
                let made = make.make(states);
                Box::pin(async move { made.await.map(OwnedState::new) })
            }),
        });
        self
    }

    /// Runs a function after the app has ended, for example to close a connection.
    ///
    /// The function is `async` and takes at most three states. It runs once, after the last call has ended: when the
    /// client has closed its end or the server was asked to stop (SIGTERM, SIGINT, SIGHUP), and for an app under test
    /// when its client is closed. The functions run in the reverse order of registration. All of them together have ten
    /// seconds; a second signal ends the process at once, or within a second if calls were still running. The function
    /// does not run if the app did not start, or if the future of the `run` method is dropped.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// struct Pool;
    /// # impl Pool { async fn close(&self) {} }
    ///
    /// let app = App::empty("orders")
    ///     .state(Pool)
    ///     .on_shutdown(|pool: State<Pool>| async move { pool.close().await });
    /// assert!(app.check().is_ok());
    /// ```
    pub fn on_shutdown<P, F: ShutdownHook<P>>(mut self, run: F) -> App {
        let mut requirements = Requirements::default();
        F::requirements(&mut requirements);
        self.shutdown_tasks.push(ShutdownFunction { requirements, work: Box::new(|states| run.run(states)) });
        self
    }

    /// Returns the types of the states that the app will have, and adds the problems of their factories to `problems`.
    pub(super) fn state_types(&self, problems: &mut Vec<Problem>) -> HashSet<TypeId> {
        let mut known: HashSet<TypeId> = self.states.keys().copied().collect();
        let handle = TypeId::of::<AppHandle>();
        // A factory may make a handle of its own.
        if self.declare_handle() && self.state_constructors.iter().all(|maker| maker.id != handle) {
            known.insert(handle);
        }
        for maker in &self.state_constructors {
            for name in missing_states(&maker.requirements, &known) {
                problems.push(states::state_made_too_early(maker.name, name));
            }
            if !known.insert(maker.id) {
                problems.push(states::duplicate_state(maker.name));
            }
        }
        for task in &self.shutdown_tasks {
            for name in missing_states(&task.requirements, &known) {
                problems.push(states::missing_in_shutdown(name));
            }
        }
        known
    }

    /// Returns true if the app has a handle. It gets one if a handler, a state factory or a shutdown hook requires it.
    fn declare_handle(&self) -> bool {
        let handle = TypeId::of::<AppHandle>();
        let requires = |requirements: &Requirements| requirements.states.contains_key(&handle);
        let is_required = self.tree.requires_state(handle)
            || self.state_constructors.iter().any(|maker| requires(&maker.requirements))
            || self.shutdown_tasks.iter().any(|task| requires(&task.requirements));
        if is_required {
            self.tree.make_dynamic();
        }
        self.tree.has_handle()
    }

    /// Adds the handle of the app to its states, unless the author has added one.
    pub(super) fn provide_handle(&mut self, owner: &StateOwner) {
        if self.tree.has_handle() && !self.states.contains_key(&TypeId::of::<AppHandle>()) {
            let handle = self.handle();
            owner.add(&mut self.states, OwnedState::new(handle));
        }
    }

    /// Makes the states of [`App::state_with`].
    pub(super) async fn make_states(&mut self, owner: &StateOwner) -> Result<Arc<States>, Error> {
        let mut states = std::mem::take(&mut self.states);
        for maker in std::mem::take(&mut self.state_constructors) {
            let make = maker.make;
            let made = catch_panic::run_catching_async(|| make(&states)).await.unwrap_or_else(|panicked| {
                operator_log::error(format_args!("the factory of the state `{}` panicked: {}", maker.name, panicked.0));
                // The program may end with the resulting error.
                operator_log::flush(FINAL_FLUSH_TIMEOUT);
                Err(format!("the factory panicked: {}", panicked.0).into())
            });
            owner.add(&mut states, made.map_err(|failure| Error::start(maker.name, failure))?);
        }
        Ok(Arc::new(states))
    }

    /// Returns the shutdown tasks in the order of their registration.
    pub(super) fn shutdown_tasks(&mut self, states: &Arc<States>) -> Vec<ShutdownTask> {
        let shutdown_tasks = std::mem::take(&mut self.shutdown_tasks).into_iter();
        shutdown_tasks
            .map(|task| {
                let states = Arc::clone(states);
                Box::new(move || (task.work)(&states)) as ShutdownTask
            })
            .collect()
    }
}

fn missing_states(requirements: &Requirements, known: &HashSet<TypeId>) -> Vec<&'static str> {
    requirements.states.iter().filter(|(id, _)| !known.contains(id)).map(|(_, name)| *name).collect()
}
