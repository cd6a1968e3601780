//! The files.

use chorus_workers::blobs::Blobs;
use std::io::ErrorKind;
use testing::Disk;
use uuid::Uuid;

#[tokio::test]
async fn a_file_is_there_whole_until_it_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let (blobs, media) = (Blobs::new(dir.path().join("deep/media")), Uuid::now_v7());
    assert_eq!(blobs.get(media, "256").await.unwrap(), None);

    blobs.put(media, "256", b"first").await.unwrap();
    blobs.put(media, "256", b"second").await.unwrap();
    blobs.put(media, "512", b"large").await.unwrap();

    assert_eq!(blobs.get(media, "256").await.unwrap().unwrap(), b"second");
    assert!(
        blobs
            .path(media, "512")
            .ends_with(format!("{media}/512.png"))
    );
    for _ in 0..2 {
        blobs.delete(media).await.unwrap();
    }
    assert_eq!(blobs.get(media, "512").await.unwrap(), None);
}

#[tokio::test]
async fn of_many_writers_one_wins_and_nothing_else_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let (blobs, media) = (Blobs::new(dir.path()), Uuid::now_v7());
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..16u8 {
        let blobs = blobs.clone();
        tasks.spawn(async move {
            blobs
                .put(media, "1024", &vec![writer; 100_000])
                .await
                .unwrap();
        });
    }
    tasks.join_all().await;

    let bytes = blobs.get(media, "1024").await.unwrap().unwrap();
    assert!(bytes.len() == 100_000 && bytes.iter().all(|byte| *byte == bytes[0]));
    assert_eq!(
        std::fs::read_dir(dir.path().join(media.to_string()))
            .unwrap()
            .count(),
        1
    );
}

#[tokio::test]
async fn a_full_disk_leaves_no_half_of_a_file_and_takes_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_disk) = Disk::mount(dir.path(), 1, "a full disk under the files").unwrap() else {
        return;
    };
    let (blobs, media) = (Blobs::new(dir.path().join("media")), Uuid::now_v7());
    blobs.put(media, "256", &vec![1; 300_000]).await.unwrap();
    for variant in ["512", "256"] {
        let full = blobs.put(media, variant, &vec![2; 2_000_000]).await;
        assert_eq!(full.unwrap_err().kind(), ErrorKind::StorageFull);
    }
    assert_eq!(blobs.get(media, "512").await.unwrap(), None);
    let kept = blobs.get(media, "256").await.unwrap().unwrap();
    assert!(
        kept == vec![1; 300_000],
        "what was there is not what it was"
    );
    let folder = dir.path().join("media").join(media.to_string());
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    blobs.put(media, "512", &vec![3; 300_000]).await.unwrap();
}
