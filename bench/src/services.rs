//! The PostgreSQL and the RabbitMQ that a run uses: a database and a queue prefix of its own.

use anyhow::{Context as _, Result};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A database and a queue prefix of this run.
pub(crate) struct Services {
    admin: String,
    database: String,
    pub(crate) postgres: String,
    pub(crate) amqp: String,
    pub(crate) prefix: String,
}

impl Services {
    pub(crate) async fn prepare() -> Result<Self> {
        let admin = std::env::var("CHORUS_TEST_POSTGRES")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let amqp = std::env::var("CHORUS_TEST_AMQP")
            .unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned());
        let unique = uuid::Uuid::now_v7().simple().to_string();
        let database = format!("chorus_bench_{unique}");
        execute(&admin, &format!("CREATE DATABASE {database}"))
            .await
            .context("creating a database; is PostgreSQL there?")?;
        let (root, _) = admin
            .rsplit_once('/')
            .context("the PostgreSQL URL has no database")?;
        let postgres = format!("{root}/{database}?sslmode=disable");
        Ok(Self {
            admin,
            postgres,
            amqp,
            prefix: format!("bench-{unique}"),
            database,
        })
    }

    pub(crate) async fn remove(self) -> Result<()> {
        execute(
            &self.admin,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database),
        )
        .await?;
        let connection = Connection::connect(&self.amqp, ConnectionProperties::default()).await?;
        for queue in ["synthesis.v1", "image.v1", "delivery.v1", "dead.v1"] {
            let channel = connection.create_channel().await?;
            let name = format!("{}.{queue}", self.prefix);
            drop(
                channel
                    .queue_delete(name.as_str().into(), QueueDeleteOptions::default())
                    .await,
            );
        }
        let channel = connection.create_channel().await?;
        let exchange = format!("{}.steps", self.prefix);
        drop(
            channel
                .exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default())
                .await,
        );
        drop(connection.close(200, "done".into()).await);
        Ok(())
    }
}

async fn execute(url: &str, sql: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}
