//! An issuer of the suite's own: real keys, real signatures, and a count of who asks for them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::Utc;
use process::settings::{Algorithm, Issuer};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) const CLIENT: &str = "client.apps.example";
pub(crate) const PAGE: &str = "https://app.example.com";
const CLERK: &str = "https://sure.clerk.example";
const GOOGLE: &str = "https://accounts.google.com";

/// A key that the issuer signs with.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pair: Arc<Pair>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl Key {
    pub(crate) fn rsa(id: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Self::of(id, Pair::Rsa(pair))
    }

    pub(crate) fn ec(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self::of(id, Pair::Ec(pair))
    }

    fn of(id: &str, pair: Pair) -> Self {
        Self {
            id: id.to_owned(),
            pair: Arc::new(pair),
        }
    }

    /// Its public half, as anybody gets it.
    pub(crate) fn public(&self) -> Vec<u8> {
        match &*self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    fn jwk(&self) -> Value {
        let (public, base64) = (self.public(), |bytes: &[u8]| BASE64.encode(bytes));
        match &*self.pair {
            // SEQUENCE { INTEGER n, INTEGER e }, the same places for every key of 2048 bits.
            Pair::Rsa(_) => json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
                "n": base64(&public[9..265]), "e": base64(&public[267..270])}),
            Pair::Ec(_) => json!({"kty": "EC", "use": "sig", "crv": "P-256", "kid": self.id,
                "x": base64(&public[1..33]), "y": base64(&public[33..65])}),
        }
    }

    pub(crate) fn sign(&self, message: &str) -> String {
        let chance = SystemRandom::new();
        let signature = match &*self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &chance,
                    message.as_bytes(),
                    &mut signature,
                )
                .unwrap();
                signature
            }
            Pair::Ec(pair) => {
                let signature = pair.sign(&chance, message.as_bytes());
                signature.unwrap().as_ref().to_vec()
            }
        };
        BASE64.encode(signature)
    }
}

/// Writes a token whose header and claims are these.
pub(crate) fn token(key: &Key, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(&message);
    format!("{message}.{signature}")
}

pub(crate) struct LocalIssuer {
    url: String,
    keys: Arc<Mutex<Vec<Key>>>,
    fetches: Arc<AtomicUsize>,
    readings: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
}

impl LocalIssuer {
    /// An issuer with this key, which serves for as long as the test runs.
    pub(crate) async fn new(key: Key) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (keys, fetches) = (Arc::new(Mutex::new(vec![key])), Arc::default());
        let away = Arc::<AtomicBool>::default();
        let (held, count, closed) = (Arc::clone(&keys), Arc::clone(&fetches), Arc::clone(&away));
        let answer = async move || {
            AtomicUsize::fetch_add(&count, 1, Ordering::SeqCst);
            if closed.load(Ordering::SeqCst) {
                return (StatusCode::SERVICE_UNAVAILABLE, String::new());
            }
            let keys: Vec<Value> = held.lock().unwrap().iter().map(Key::jwk).collect();
            // What we do not understand stands beside it.
            let other = json!({"kty": "odd", "kid": "odd"});
            let keys = [vec![other], keys].concat();
            (StatusCode::OK, json!({"keys": keys}).to_string())
        };
        let (readings, own) = (Arc::<AtomicUsize>::default(), url.clone());
        let read = Arc::clone(&readings);
        let document = async move || {
            AtomicUsize::fetch_add(&read, 1, Ordering::SeqCst);
            json!({"issuer": own, "jwks_uri": format!("{own}/keys")}).to_string()
        };
        let router = Router::new().route("/keys", get(answer));
        let router = router.route("/.well-known/openid-configuration", get(document));
        let router = router.route(
            "/elsewhere",
            get(async || axum::response::Redirect::temporary("/keys")),
        );
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            keys,
            fetches,
            readings,
            away,
        }
    }

    pub(crate) fn key(&self) -> Key {
        self.keys.lock().unwrap()[0].clone()
    }
    /// Has it sign with another key from now on.
    pub(crate) fn rotate(&self, key: Key) {
        *self.keys.lock().unwrap() = vec![key];
    }
    /// How often its keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
    /// Has it answer nobody.
    pub(crate) fn leave(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    /// It, as Google.
    pub(crate) fn google(&self) -> Issuer {
        Issuer {
            jwks_url: Some(format!("{}/keys", self.url)),
            ..Issuer::google(vec![CLIENT.to_owned()])
        }
    }

    /// It, as Clerk.
    pub(crate) fn clerk(&self) -> Issuer {
        Issuer {
            name: "clerk".to_owned(),
            issuers: vec![CLERK.to_owned()],
            jwks_url: Some(format!("{}/keys", self.url)),
            algorithm: Algorithm::Rs256,
            audiences: vec![],
            parties: vec![PAGE.to_owned()],
            domains: vec![],
            needs_session: true,
            bearer: true,
        }
    }

    /// It, under its own address, where it says what there is to know of it.
    pub(crate) fn told(&self) -> Issuer {
        Issuer {
            name: "told".to_owned(),
            issuers: vec![self.url.clone()],
            jwks_url: None,
            audiences: vec![CLIENT.to_owned()],
            parties: vec![],
            needs_session: false,
            bearer: false,
            ..self.clerk()
        }
    }

    /// How often it was asked what there is to know of it.
    pub(crate) fn readings(&self) -> usize {
        self.readings.load(Ordering::SeqCst)
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// It, behind a redirect.
    pub(crate) fn elsewhere(&self) -> Issuer {
        Issuer {
            name: "elsewhere".to_owned(),
            jwks_url: Some(format!("{}/elsewhere", self.url)),
            ..self.clerk()
        }
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "RS256", "typ": "JWT", "kid": self.key().id})
    }

    /// An ID token as Google's are.
    pub(crate) fn google_token(&self, subject: &str, email: &str) -> String {
        token(&self.key(), &self.header(), &google(subject, email))
    }

    /// A session token as Clerk's are.
    pub(crate) fn clerk_token(&self, subject: &str) -> String {
        token(&self.key(), &self.header(), &clerk(subject))
    }
}

/// What an ID token of Google's says.
pub(crate) fn google(subject: &str, email: &str) -> Value {
    let now = Utc::now().timestamp();
    json!({"iss": GOOGLE, "azp": CLIENT, "aud": CLIENT, "sub": subject, "email": email, "email_verified": true,
        "name": "Ana Maria", "iat": now, "exp": now + 3600})
}

/// What a session token of Clerk's says.
pub(crate) fn clerk(subject: &str) -> Value {
    let now = Utc::now().timestamp();
    json!({"iss": CLERK, "azp": PAGE, "sub": subject, "sid": "sess_1", "iat": now, "nbf": now - 5, "exp": now + 60})
}
