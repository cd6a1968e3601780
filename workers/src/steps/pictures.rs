//! Pixels in, files out: what those steps share that paint. Drawing is kept off the runtime's threads.

use crate::blobs::{Blobs, etag};
use crate::processors;
use domain::media::store::Variant;
use saga_core::StepError;
use studio::Picture;
use uuid::Uuid;

/// The sizes of a portrait or a cover, largest first.
pub(super) const SIDES: [u32; 3] = [1024, 512, 256];

/// A file that is not written yet.
pub(super) struct File {
    name: String,
    width: u32,
    height: u32,
    png: Vec<u8>,
}

impl File {
    /// Encodes a picture under the name of its size.
    pub(super) fn of(picture: &Picture, side: u32) -> Self {
        Self {
            name: side.to_string(),
            width: picture.width(),
            height: picture.height(),
            png: picture.png(),
        }
    }
}

/// Decodes somebody else's picture and encodes its pixels alone, no larger than the largest size.
pub(super) async fn cleaned(png: Vec<u8>) -> Result<File, StepError> {
    draw(move || {
        let picture = Picture::from_png(&png).map_err(StepError::content)?;
        let side = picture.width().max(picture.height()).min(SIDES[0]);
        Ok(File::of(&picture.resized(side), SIDES[0]))
    })
    .await?
}

/// Decodes somebody else's picture and encodes its pixels alone, in every size, the largest first.
pub(super) async fn sizes(png: Vec<u8>) -> Result<Vec<File>, StepError> {
    draw(move || {
        let picture = Picture::from_png(&png).map_err(StepError::content)?;
        let longest = picture.width().max(picture.height());
        let file = |side: u32| File::of(&picture.resized(side.min(longest)), side);
        Ok(SIDES.into_iter().map(file).collect())
    })
    .await?
}

/// Runs what takes a processor for a while.
pub(super) async fn draw<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StepError> {
    processors::take(work).await.map_err(StepError::retry)
}

/// Writes a file, and says what is to be known of it.
pub(super) async fn keep(blobs: &Blobs, media: Uuid, file: File) -> Result<Variant, StepError> {
    blobs
        .put(media, &file.name, &file.png)
        .await
        .map_err(StepError::retry)?;
    Ok(Variant {
        bytes: file.png.len() as u64,
        etag: etag(&file.png),
        name: file.name,
        width: file.width,
        height: file.height,
    })
}
