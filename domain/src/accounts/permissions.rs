//! What a caller may do: permissions by name, each for rows of its own or for everybody's.

/// How far a permission reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Rows of one's own.
    Own,
    /// Everybody's.
    All,
}

/// A permission of a role, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Granted {
    /// `resource.action`, `resource.*` or `*`.
    pub permission: String,
    /// Whether it is for rows of one's own alone.
    pub own: bool,
}

/// Everything that somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(Vec<Granted>);

impl Permissions {
    /// How far `permission` reaches; `None` where it is not granted at all.
    pub fn reach(&self, permission: &str) -> Option<Reach> {
        let granting = self.0.iter().filter(|one| one.covers(permission));
        granting
            .map(|one| if one.own { Reach::Own } else { Reach::All })
            .max()
    }

    /// Whether nothing is refused.
    pub fn is_everything(&self) -> bool {
        self.0.iter().any(|one| one.permission == "*" && !one.own)
    }

    /// Each as people write it, in order: `surveys.write own`.
    pub fn words(&self) -> Vec<String> {
        let word = |one: &Granted| {
            let own = if one.own { " own" } else { "" };
            format!("{}{own}", one.permission)
        };
        let mut words: Vec<String> = self.0.iter().map(word).collect();
        words.sort();
        words.dedup();
        words
    }
}

impl FromIterator<Granted> for Permissions {
    fn from_iter<I: IntoIterator<Item = Granted>>(granted: I) -> Self {
        Self(granted.into_iter().collect())
    }
}

impl Granted {
    /// One for everybody's rows.
    pub fn all(permission: &str) -> Self {
        Self {
            permission: permission.to_owned(),
            own: false,
        }
    }

    fn covers(&self, permission: &str) -> bool {
        if self.permission == "*" || self.permission == permission {
            return true;
        }
        let resource = self.permission.strip_suffix(".*");
        let asked = permission.split_once('.').map(|(resource, _)| resource);
        resource.is_some() && resource == asked
    }
}

/// Whoever holds it decides every review.
pub const DECIDES_ALL: &str = "reviews.decide";
/// The permissions by which reviews are decided; a review names one of them.
pub const DECIDING: [&str; 2] = [DECIDES_ALL, "rounds.review"];

/// What a machine's key may be made for, with the permissions that it takes.
const SCOPES: [(&str, &[&str]); 8] = [
    (
        "accounts:write",
        &["accounts.read", "accounts.write", "keys.read", "keys.write"],
    ),
    ("events:write", &["events.write"]),
    ("jobs:read", &["jobs.read"]),
    ("jobs:write", &["jobs.read", "jobs.write"]),
    (
        "ops:read",
        &[
            "sagas.read",
            "queues.read",
            "metrics.read",
            "audit.read",
            "costs.read",
            "limits.read",
        ],
    ),
    (
        "ops:write",
        &["sagas.control", "queues.control", "dead.replay"],
    ),
    ("rounds:start", &["rounds.start"]),
    ("surveys:write", &["surveys.read", "surveys.write"]),
];

/// The scopes that there are.
pub fn scopes() -> impl Iterator<Item = &'static str> {
    SCOPES.iter().map(|(scope, _)| *scope)
}

/// What scopes come to; words that are no scope come to nothing.
pub fn of_scopes<'a>(scopes: impl Iterator<Item = &'a str>) -> Permissions {
    scopes
        .filter_map(|scope| SCOPES.iter().find(|(known, _)| *known == scope))
        .flat_map(|(_, permissions)| permissions.iter().copied().map(Granted::all))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Granted, Permissions, Reach, of_scopes};

    #[test]
    fn a_permission_reaches_as_far_as_the_widest_that_covers_it() {
        let own = |permission: &str| Granted {
            permission: permission.to_owned(),
            own: true,
        };
        let member: Permissions = [own("surveys.*"), Granted::all("topics.read")]
            .into_iter()
            .collect();
        assert_eq!(member.reach("surveys.write"), Some(Reach::Own));
        assert_eq!(member.reach("topics.read"), Some(Reach::All));
        for refused in ["topics.write", "surveysx.write", "surveys", "*", ""] {
            assert_eq!(member.reach(refused), None, "{refused}");
        }
        let both: Permissions = [own("surveys.*"), Granted::all("*")].into_iter().collect();
        assert_eq!(both.reach("surveys.write"), Some(Reach::All));
        assert!(both.is_everything() && !member.is_everything());
        assert_eq!(member.words(), ["surveys.* own", "topics.read"]);
    }

    #[test]
    fn a_scope_is_no_more_than_its_permissions() {
        let read = of_scopes(["ops:read", "nonsense"].into_iter());
        assert_eq!(read.reach("sagas.read"), Some(Reach::All));
        assert_eq!(read.reach("sagas.control"), None);
        assert!(!of_scopes(super::scopes()).is_everything());
    }
}
