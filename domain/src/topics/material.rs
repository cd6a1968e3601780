//! Everything a writer may know of a group of ideas.

use serde::{Deserialize, Serialize};

/// The ideas of one group, without their authors: whoever reads this cannot tell who wrote what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// The ideas, the oldest first.
    pub ideas: Vec<String>,
    /// The words that tell this group from the others, the strongest first.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// What the curator would call it.
    #[serde(default)]
    pub title_hint: Option<String>,
    /// The authors' names. They are never written, only kept out.
    #[serde(default)]
    pub names: Vec<String>,
    /// What the local writer chooses its sentences by.
    pub seed: u64,
}
