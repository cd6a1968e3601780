//! Somebody new in a test: an account, a session, and the token of it.

use crate::support::Person;
use chorus_api::token::{self, Grant};
use chrono::TimeDelta;
use domain::accounts::sessions::{self, Opening};
use domain::accounts::store;
use saga_core::db::{Db, Durability};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// People who are not written down yet.
#[derive(Clone, Default)]
pub(crate) struct Newcomers(Arc<Mutex<Vec<Newcomer>>>, Arc<tokio::sync::Mutex<()>>);

struct Newcomer {
    account: Uuid,
    session: Uuid,
    roles: Vec<String>,
}

impl Newcomers {
    pub(crate) fn person(&self, secret: &str, roles: &[&str]) -> Person {
        let (account, session) = (Uuid::now_v7(), Uuid::now_v7());
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let grant = Grant {
            account,
            session,
            roles: roles.clone(),
        };
        let token = token::mint(secret.as_bytes(), &grant, token::LIFE_MAX).unwrap();
        self.0.lock().unwrap().push(Newcomer {
            account,
            session,
            roles,
        });
        Person { account, token }
    }

    /// Writes them down. Whoever asks meanwhile waits.
    pub(crate) async fn settle(&self, db: &Db) {
        let _turn = self.1.lock().await;
        let all: Vec<Newcomer> = std::mem::take(&mut self.0.lock().unwrap());
        if all.is_empty() {
            return;
        }
        let mut tx = db.begin(Durability::Relaxed).await.unwrap();
        for new in all {
            let email = format!("{}@example.org", new.account.simple());
            let name = store::NAME_DEFAULT;
            let made = store::find_or_create(&mut tx, new.account, &email, name).await;
            assert_eq!(made.unwrap().id, new.account);
            let opening = Opening {
                id: new.session,
                account: new.account,
                roles: Some(new.roles),
                refresh_hash: None,
                ip_prefix: String::new(),
                user_agent: "a test".to_owned(),
                life: TimeDelta::days(1),
            };
            sessions::open(&mut tx, opening).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}
