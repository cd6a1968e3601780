//! The files.

use chorus_workers::blobs::Blobs;
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
