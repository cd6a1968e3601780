//! Where to go from a thing: names and addresses.

use serde::Serialize;
use std::collections::BTreeMap;

/// Where to go from here: addresses by name. One that leads nowhere is null.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct Links(BTreeMap<&'static str, Option<String>>);

impl<const N: usize> From<[(&'static str, Option<String>); N]> for Links {
    fn from(links: [(&'static str, Option<String>); N]) -> Self {
        Self(links.into_iter().collect())
    }
}

impl<const N: usize> From<[(&'static str, String); N]> for Links {
    fn from(links: [(&'static str, String); N]) -> Self {
        Self::from(links.map(|(name, link)| (name, Some(link))))
    }
}
