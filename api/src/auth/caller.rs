//! Whoever calls, and what they may do.

use domain::accounts::permissions::{Permissions, Reach};
use uuid::Uuid;

/// By what a caller was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// A token of ours, of this session.
    Session(Uuid),
    /// A session token of an issuer's.
    Issuer,
    /// An API key that begins so.
    Key(String),
    /// The key of the settings.
    Bootstrap,
}

/// Whoever calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(super) by: By,
    pub(super) account: Option<Uuid>,
    pub(super) email: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) rights: Permissions,
    /// What a key was made for, beyond which it opens nothing, whatever its account may.
    pub(super) bounds: Option<Permissions>,
}

impl Caller {
    /// The account. The key of the settings has none, and comes to no route that makes rows for one.
    pub(crate) fn account(&self) -> Uuid {
        self.account.unwrap_or(Uuid::nil())
    }
    /// The account, if there is one.
    pub(crate) fn own_account(&self) -> Option<Uuid> {
        self.account
    }
    /// By what it was recognised.
    pub(crate) fn by(&self) -> &By {
        &self.by
    }
    /// Its address, if it has one.
    pub(crate) fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }
    /// Its roles.
    pub(crate) fn roles(&self) -> &[String] {
        &self.roles
    }
    /// What its roles permit.
    pub(crate) fn rights(&self) -> &Permissions {
        &self.rights
    }
    /// What its key is bound to.
    pub(crate) fn bounds(&self) -> Option<&Permissions> {
        self.bounds.as_ref()
    }
    /// How decisions are signed.
    pub(crate) fn signature(&self) -> String {
        let account = self
            .email()
            .map_or_else(|| self.account().to_string(), str::to_owned);
        match &self.by {
            By::Session(_) | By::Issuer => account,
            By::Key(prefix) => format!("{account} by key {prefix}"),
            By::Bootstrap => "the bootstrap key".to_owned(),
        }
    }
    /// Whether it may do everything.
    pub(crate) fn is_admin(&self) -> bool {
        self.rights.is_everything() && self.bounds.is_none()
    }
    /// How far this permission of it reaches.
    pub(crate) fn reach(&self, permission: &str) -> Option<Reach> {
        let reach = self.rights.reach(permission)?;
        match &self.bounds {
            Some(bounds) => bounds.reach(permission).map(|bound| bound.min(reach)),
            None => Some(reach),
        }
    }
}
