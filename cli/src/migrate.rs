//! `chorus migrate`: brings the database's tables up to date.

use crate::exit::Trouble;
use crate::terminal::line;
use process::{Settings, fleet, telemetry};

pub(crate) async fn run(settings: Settings, dry_run: bool) -> Result<(), Trouble> {
    telemetry::start(settings.log_format, "warn");
    let db = fleet::open_db(&settings).await?;
    let pending = db.pending().await.map_err(anyhow::Error::from)?.0;
    for migration in &pending {
        line(format!(
            "{} {migration}",
            if dry_run { "pending" } else { "doing  " }
        ));
    }
    if pending.is_empty() {
        line("The tables are up to date.");
    } else if dry_run {
        line(format!("{} to do; nothing was changed.", pending.len()));
    } else {
        db.migrate().await.map_err(anyhow::Error::from)?;
        line(format!("Done: {}.", pending.len()));
    }
    db.close().await;
    Ok(())
}
