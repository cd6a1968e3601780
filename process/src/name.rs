//! What a process is called in leases, letters and the list of workers: no two have the same name.

use uuid::Uuid;

/// Where the kernel tells the name of the machine, or of the container.
const HOST_FILE: &str = "/proc/sys/kernel/hostname";
/// Longest name of a host that is shown.
const HOST_CHARS_MAX: usize = 63;

/// The machine's name, or the container's; `local` where nothing tells it.
pub fn host() -> String {
    let told = std::fs::read_to_string(HOST_FILE).ok();
    let told = told.or_else(|| std::env::var("HOSTNAME").ok());
    plain(&told.unwrap_or_default())
}

/// A name for a process of this label. The process id tells it apart on its host; in containers that is
/// always 1, and host names may be given twice, so there are four more digits.
pub fn unique(label: &str, host: &str) -> String {
    let tag = Uuid::now_v7().simple().to_string().split_off(28);
    format!("{label}-{host}-{}-{tag}", std::process::id())
}

/// What may stand in an address and on a command line.
fn plain(host: &str) -> String {
    let fits = |letter: &char| letter.is_ascii_alphanumeric() || ['-', '.', '_'].contains(letter);
    let kept: String = host.chars().filter(fits).take(HOST_CHARS_MAX).collect();
    if kept.is_empty() {
        "local".to_owned()
    } else {
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::{plain, unique};

    #[test]
    fn a_host_is_named_in_plain_letters() {
        assert_eq!(plain("web-1.example\n"), "web-1.example");
        assert_eq!(plain("a b/c?d"), "abcd");
        assert_eq!(plain(" \n"), "local");
        assert_eq!(plain(&"x".repeat(80)).len(), 63);
    }

    #[test]
    fn two_workers_of_one_host_have_two_names() {
        let names = [1, 2].map(|_| unique("image-worker", "web-1"));
        assert_ne!(names[0], names[1]);
        assert!(names[0].starts_with("image-worker-web-1-"), "{names:?}");
    }
}
