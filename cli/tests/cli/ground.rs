//! A database and names at the broker for one test of a fleet.

use crate::support::{Ended, Place, Running, until};
use testing::{Throwaway, held_port};

/// A database and names at the broker; [`Ground::clear`] takes the database away.
pub(crate) struct Ground {
    database: Throwaway,
    settings: Vec<(&'static str, String)>,
}

/// A process that serves, and the port that is held for it.
pub(crate) struct Serving {
    pub(crate) url: String,
    running: Running,
    _held: tokio::net::TcpSocket,
}

impl Serving {
    /// Sends the process a signal: `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    /// Waits for its end.
    pub(crate) fn ended(self) -> Ended {
        self.running.ended()
    }
}

impl Ground {
    /// Nothing where there are no services: says what is left out.
    pub(crate) async fn made(what: &str) -> Option<Self> {
        let (server, amqp) = testing::services(what)?;
        let database = Throwaway::create(server, "cli").await;
        let url = database.url();
        let settings = [
            ("DATABASE_URL", url.as_str()),
            ("AMQP_URL", &amqp),
            ("QUEUE_PREFIX", database.name()),
            ("HOST", "127.0.0.1"),
            ("DEMO_KINDS", "true"),
            ("RATE_LIMITS", "off"),
            ("JWT_SECRET", "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj"),
            ("HASH_PEPPER", "pppppppppppppppppppppppppppppppp"),
        ];
        let settings = settings.map(|(name, value)| (name, value.to_owned()));
        Some(Self {
            settings: settings.into(),
            database,
        })
    }

    /// What a process on this ground is told.
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        let settings = self.settings.iter();
        settings.map(|(name, value)| (*name, &**value)).collect()
    }

    /// One thing that it is told.
    pub(crate) fn setting(&self, name: &str) -> &str {
        let mut settings = self.settings.iter();
        let found = settings.find(|(known, _)| *known == name);
        &found.expect(name).1
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
        let port = port.to_string();
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
            running,
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
    pub(crate) async fn clear(self) {
        self.database.end().await;
    }
}
