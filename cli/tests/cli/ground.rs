//! A database and names at the broker for one test of a fleet.

use crate::support::{Place, Running, until};
use sqlx::Connection as _;
use std::io::Write as _;

/// A database and names at the broker; [`Ground::clear`] takes the database away.
pub(crate) struct Ground {
    admin: sqlx::PgConnection,
    name: String,
    settings: Vec<(&'static str, String)>,
}

/// A process that serves, and the port that is held for it.
pub(crate) struct Serving {
    pub(crate) url: String,
    _running: Running,
    _held: tokio::net::TcpSocket,
}

impl Ground {
    /// Nothing where there are no services: says what is left out.
    pub(crate) async fn made(what: &str) -> Option<Self> {
        let (Ok(base), Ok(amqp)) = (
            std::env::var("CHORUS_TEST_POSTGRES"),
            std::env::var("CHORUS_TEST_AMQP"),
        ) else {
            let words = format!("left out: {what} (run scripts/test for all)");
            drop(writeln!(std::io::stderr(), "{words}"));
            return None;
        };
        let name = format!("chorus_cli_{}", uuid::Uuid::now_v7().simple());
        let mut admin = sqlx::PgConnection::connect(&base).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::raw_sql(create).execute(&mut admin).await.unwrap();
        let database = format!("{}/{name}", base.rsplit_once('/').unwrap().0);
        let settings = [
            ("DATABASE_URL", database.as_str()),
            ("AMQP_URL", &amqp),
            ("QUEUE_PREFIX", &name),
            ("HOST", "127.0.0.1"),
            ("DEMO_KINDS", "true"),
            ("JWT_SECRET", "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj"),
            ("HASH_PEPPER", "pppppppppppppppppppppppppppppppp"),
        ];
        let settings = settings.map(|(name, value)| (name, value.to_owned()));
        Some(Self {
            admin,
            name,
            settings: settings.into(),
        })
    }

    /// What a process on this ground is told.
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        let settings = self.settings.iter();
        settings.map(|(name, value)| (*name, &**value)).collect()
    }

    /// A process of the fleet, once it is ready, on a port that `variable` tells it.
    pub(crate) fn serve(
        &self,
        place: &Place,
        arguments: &[&str],
        variable: &str,
        more: &[(&str, &str)],
    ) -> Serving {
        let (held, port) = held_port();
        let url = format!("http://127.0.0.1:{port}");
        let mut command = place.command(arguments);
        let settings = self.settings();
        let settings = settings.iter().chain(more).copied();
        let child = command.envs(settings).env(variable, &port).spawn();
        let running = Running::of(child.unwrap());
        until("it is ready", || {
            let asked = place.chorus(&["healthcheck", "--ready", "--url", &url]);
            (asked.code == 0).then_some(())
        });
        Serving {
            url,
            _running: running,
            _held: held,
        }
    }

    /// A token of an admin.
    pub(crate) fn token(&self, place: &Place) -> String {
        let mint = ["token", "--email", "ana@example.com", "--role", "admin"];
        let told = place.chorus_with(&mint, &self.settings()).is(0).out;
        told.trim().to_owned()
    }

    /// Takes the database away.
    pub(crate) async fn clear(mut self) {
        let drop_it = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let drop_it = sqlx::AssertSqlSafe(drop_it);
        sqlx::raw_sql(drop_it)
            .execute(&mut self.admin)
            .await
            .unwrap();
    }
}

/// A port that the kernel gives to nobody else while the socket lives, which does not listen.
pub(crate) fn held_port() -> (tokio::net::TcpSocket, String) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    (socket, port)
}
