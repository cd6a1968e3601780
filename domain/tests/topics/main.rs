//! Topics: ideas grouped and written about.

mod clusters;
mod keywords;
mod prompts;
mod support;
mod writer;
