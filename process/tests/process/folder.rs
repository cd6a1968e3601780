//! The data folder: one process at a time.

use process::{Settings, folder};

#[test]
fn a_folder_in_use_is_refused_with_the_way_out() {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings::embedded_in(data.path()).unwrap();
    let held = folder::lock(&settings).unwrap();
    let refused = folder::lock(&settings).unwrap_err().to_string();
    let holder = format!("process {} uses the data folder", std::process::id());
    assert!(
        refused.contains(&holder) && refused.contains("try: "),
        "{refused}"
    );
    drop(held);
    assert!(folder::lock(&settings).is_ok());
}
