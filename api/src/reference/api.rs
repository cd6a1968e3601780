//! Routes together with what is said of them: the only place that gives the router a route.

use super::operation::Operation;
use crate::auth::table::{self, Need};
use crate::state::State;
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

/// Operations of one noun, or of all of them.
pub(crate) struct Api {
    tag: &'static str,
    router: Router<State>,
    described: Vec<Described>,
}

/// An operation, and where it is.
pub(crate) struct Described {
    pub(crate) tag: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) operation: Operation,
}

impl Api {
    /// Nothing yet; what is added is told under this heading.
    pub(crate) fn of(tag: &'static str) -> Self {
        let (router, described) = (Router::new(), vec![]);
        Self {
            tag,
            router,
            described,
        }
    }

    /// Adds a GET.
    pub(crate) fn get<H, T>(self, path: &'static str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.add(("get", path), get(handler), operation)
    }

    /// Adds a POST.
    pub(crate) fn post<H, T>(self, path: &'static str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.add(("post", path), post(handler), operation)
    }

    /// Adds a PUT.
    pub(crate) fn put<H, T>(self, path: &'static str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.add(("put", path), put(handler), operation)
    }

    /// Adds a PATCH.
    pub(crate) fn patch<H, T>(self, path: &'static str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.add(("patch", path), patch(handler), operation)
    }

    /// Adds a DELETE.
    pub(crate) fn delete<H, T>(self, path: &'static str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, State>,
        T: 'static,
    {
        self.add(("delete", path), delete(handler), operation)
    }

    /// Describes a GET that every process serves by itself, such as its health.
    pub(crate) fn served(mut self, path: &'static str, operation: Operation) -> Self {
        self.describe(("get", path), operation.uncounted());
        self
    }

    /// Adds what another noun has.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.described.extend(other.described);
        self
    }

    /// The routes.
    pub(crate) fn router(self) -> Router<State> {
        self.router
    }

    /// What is said of them.
    pub(crate) fn described(self) -> Vec<Described> {
        self.described
    }

    fn add(
        mut self,
        at: (&'static str, &'static str),
        route: MethodRouter<State>,
        operation: Operation,
    ) -> Self {
        self.router = self.router.route(at.1, route);
        self.describe(at, operation);
        self
    }

    fn describe(&mut self, (method, path): (&'static str, &'static str), operation: Operation) {
        let operation = match table::need(&method.to_uppercase(), path) {
            Some(Need::Own(permission) | Need::All(permission)) => operation.needs(permission),
            Some(Need::Anybody | Need::Nobody) | None => operation,
        };
        self.described.push(Described {
            tag: self.tag,
            method,
            path,
            operation,
        });
    }
}
