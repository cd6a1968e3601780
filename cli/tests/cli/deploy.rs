//! The files that run Chorus elsewhere name only what there is: settings, commands, ports, queues, answers.

mod told;

use crate::support::{Place, until};
use process::settings::{Given, Role};
use process::{QUEUES, worker};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;

/// Names in capitals that are others' words: of systemd, and of the images in the compose file.
const FOREIGN: [&str; 9] = [
    "AF_INET",
    "AF_INET6",
    "AF_UNIX",
    "GLIBC_TUNABLES",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "POSTGRES_USER",
    "RABBITMQ_DEFAULT_PASS",
    "RABBITMQ_DEFAULT_USER",
];
/// Set by the compose file's own line for secrets.
const OF_COMPOSE: &str = "RABBITMQ_PASSWORD";

fn root(name: &str) -> String {
    let path = [env!("CARGO_MANIFEST_DIR"), "/../", name].concat();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that starts a process somewhere, with its name.
fn files() -> Vec<(String, String)> {
    let mut names = vec!["Procfile".to_owned(), "docker-compose.yml".to_owned()];
    for folder in ["k8s", "railway", "systemd"] {
        let path = [env!("CARGO_MANIFEST_DIR"), "/../deploy/", folder].concat();
        for entry in std::fs::read_dir(path).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            names.push(format!("deploy/{folder}/{name}"));
        }
    }
    let read = |name: String| (root(&name), name);
    names
        .into_iter()
        .map(read)
        .map(|(text, name)| (name, text))
        .collect()
}

/// What stands between two marks, wherever that is.
fn between<'t>(text: &'t str, from: &'t str, to: &'t [char]) -> Vec<&'t str> {
    let after = text.split(from).skip(1);
    after
        .map(|rest| rest.split(to).next().unwrap().trim())
        .collect()
}

#[test]
fn every_variable_is_a_setting() {
    let rows = Given::default().rows();
    let known: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    for (file, text) in files() {
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        let shouted = |word: &&str| {
            let capitals = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
            word.contains('_') && word.chars().all(|letter| capitals(letter) || letter == '_')
        };
        let named = between(&text, "{name: ", &[',', '}']);
        let named = named
            .into_iter()
            .filter(|name| name.starts_with(char::is_uppercase));
        for word in words.filter(shouted).chain(named) {
            let bare = word.strip_suffix("_FILE").unwrap_or(word);
            let fits = known.contains(bare) || FOREIGN.contains(&word) || word == OF_COMPOSE;
            assert!(fits, "{file} names {word}, which is no setting");
        }
    }
}

/// What a file has run, as words.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lists = between(text, "command: [", &[']']).into_iter();
    let lists = lists.map(|list| list.replace(',', " "));
    let plain = [
        "ExecStart=/usr/local/bin/",
        "startCommand = \"",
        "preDeployCommand = [\"",
        "$(chorus ",
    ];
    let plain = plain.into_iter().flat_map(|mark| {
        let chorus = if mark.starts_with('$') { "chorus " } else { "" };
        let found = between(text, mark, &['\n', '"', ')']).into_iter();
        found.map(move |words| format!("{chorus}{words}"))
    });
    let split = |words: String| words.split_whitespace().map(str::to_owned).collect();
    lists.chain(plain).map(split).collect()
}

#[test]
fn every_command_is_one_that_the_image_has_and_takes() {
    let dockerfile = root("deploy/Dockerfile");
    let binaries = between(&dockerfile, "for name in ", &[';'])[0];
    let place = Place::new();
    let mut checked = 0;
    for (file, text) in files() {
        let of_procfile = text.lines().filter_map(|line| line.split_once(": "));
        let of_procfile = of_procfile.filter(|_| file == "Procfile");
        let words = |command: &str| command.split_whitespace().map(str::to_owned).collect();
        let of_procfile = of_procfile.map(|(_, command)| words(command));
        for command in commands(&text).into_iter().chain(of_procfile) {
            let (program, arguments) = command.split_first().unwrap();
            if ["kubectl", "sh", "sleep"].contains(&program.as_str()) {
                continue;
            }
            let there = binaries.split(' ').any(|binary| binary == program);
            assert!(there, "{file}: no {program} in the image");
            let arguments = arguments.iter().map(|one| one.replace("%i", QUEUES[0]));
            let arguments: Vec<String> = arguments.chain(["--help".to_owned()]).collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            if program == "chorus" {
                place.chorus(&arguments).is(0);
            }
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked} were found");
}

#[test]
fn a_token_that_could_not_be_made_replaces_none() {
    let job = root("deploy/k8s/scaler-token.yaml");
    let script = between(&job, "                - |\n", &[]);
    let script = script[0].split("envFrom:").next().unwrap();
    let place = Place::new();
    let (note, chorus) = (place.path("patch.json"), place.path("chorus"));
    let script = script.replace(
        "/run/token",
        place.path("").to_str().unwrap().trim_end_matches('/'),
    );
    let run = |program: &str| {
        std::fs::write(&chorus, format!("#!/bin/sh\n{program}\n")).unwrap();
        std::fs::set_permissions(&chorus, std::fs::Permissions::from_mode(0o700)).unwrap();
        let path = format!("{}:/usr/bin:/bin", place.path("").display());
        let run = std::process::Command::new("sh")
            .args(["-c", &script])
            .env("PATH", path)
            .output();
        run.unwrap().status.success()
    };
    for failing in ["exit 3", "echo half; exit 3", "exit 0", "echo"] {
        assert!(!run(failing), "{failing}");
        assert!(!note.exists(), "{failing}");
    }
    assert!(run("echo a.b.c"));
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&note).unwrap()).unwrap();
    assert_eq!(
        written,
        serde_json::json!({"stringData": {"token": "a.b.c"}})
    );
}

/// How many seconds a file gives a process, from each place where it says so.
fn graces(file: &str, text: &str) -> Vec<u64> {
    let marks = [
        "stop_grace_period: ",
        "terminationGracePeriodSeconds: ",
        "TimeoutStopSec=",
        "drainingSeconds = ",
    ];
    // What the compose file says after its own processes is about the store and the broker.
    let ours = text.split("\nservices:").next().unwrap();
    let found = marks.iter().flat_map(|mark| between(ours, mark, &['\n']));
    let seconds = found.map(|told| told.trim_end_matches('s').parse());
    seconds
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn whoever_kills_waits_longer_than_draining_takes() {
    let settings = Given::default().check(Role::Worker).unwrap();
    let drain = settings.work.drain.as_secs();
    let closing = worker::AFTER_DRAIN_MAX.as_secs();
    let mut places = Vec::new();
    for (file, text) in files() {
        let file = file.rsplit_once('/').map_or(&*file, |(folder, _)| folder);
        if file != "deploy/k8s" {
            for seconds in graces(file, &text) {
                assert!(seconds > drain + closing, "{file}: {seconds}");
                places.push(file.to_owned());
            }
        }
    }
    let [compose, railway, systemd] = ["docker-compose.yml", "deploy/railway", "deploy/systemd"]
        .map(|wanted| places.iter().filter(|place| *place == wanted).count());
    assert_eq!((compose, railway, systemd, places.len()), (1, 4, 2, 7));
}

#[test]
fn pods_have_the_time_that_the_longest_step_takes() {
    let manifests = root("deploy/k8s/chorus.yaml");
    let [drain] = between(&manifests, "\n  DRAIN_TIMEOUT_S: \"", &['"'])[..] else {
        panic!("one drain time is for all pods");
    };
    let drain: u64 = drain.parse().unwrap();
    // A step that writes may ask twice.
    let longest = Given {
        ai_timeout_secs: Some("45".to_owned()),
        ..Given::default()
    };
    let call = longest
        .check(Role::Worker)
        .unwrap()
        .models
        .timeout
        .as_secs();
    assert!(drain > 2 * call, "{drain}");
    let closing = worker::AFTER_DRAIN_MAX.as_secs();
    let default = Given::default()
        .check(Role::Api)
        .unwrap()
        .work
        .drain
        .as_secs();
    let mut pods = 0;
    for part in manifests
        .split("\n---\n")
        .filter(|part| part.contains("kind: Deployment\n"))
    {
        let [grace] = graces("deploy/k8s", part)[..] else {
            panic!("one grace period a pod: {part}");
        };
        // Endpoints go while the pod still answers; the grace period runs meanwhile.
        let pause = between(part, "preStop: {exec: {command: [sleep, \"", &['"']);
        let pause = pause.first().map_or(0, |seconds| seconds.parse().unwrap());
        let api = part.contains("name: chorus-api\n");
        assert_eq!(pause > 0, api, "{part}");
        assert!(
            grace > pause + closing + if api { default } else { drain },
            "{part}"
        );
        pods += 1;
    }
    assert_eq!(pods, 4);
}

#[test]
fn ports_are_those_that_the_process_is_told() {
    let rows = Given::default().rows();
    let default = &rows.iter().find(|row| row.name == "PORT").unwrap().default;
    let manifests = root("deploy/k8s/chorus.yaml");
    let mut pods = 0;
    for part in manifests.split("\n---\n") {
        let told = between(part, "value: \"", &['"']);
        let asked = between(part, "ort: ", &[',', '}', ']', '\n']).into_iter();
        let asked = asked.map(|port| port.trim_matches('"'));
        let asked: BTreeSet<&str> = asked.collect();
        if part.contains("containerPort") {
            assert_eq!(asked.into_iter().collect::<Vec<_>>(), told, "{part}");
            pods += 1;
        } else if part.contains("kind: Service\n") {
            assert_eq!(asked, BTreeSet::from([default.as_str()]));
        }
    }
    assert_eq!(pods, 4);
    let asked = root("deploy/k8s/keda.yaml");
    let hosts: BTreeSet<&str> = between(&asked, "url: http://", &['/'])
        .into_iter()
        .collect();
    assert_eq!(hosts, BTreeSet::from([&*format!("chorus-api:{default}")]));
}

#[tokio::test]
async fn every_queue_has_its_workers_and_its_scaler_asks_what_the_api_answers() {
    let (pods, scalers) = (root("deploy/k8s/chorus.yaml"), root("deploy/k8s/keda.yaml"));
    let place = Place::new();
    let _house = place.house();
    let note = |name: &str| {
        let note = std::fs::read_to_string(place.path("chorus-data").join(name));
        note.unwrap().trim().to_owned()
    };
    let (url, token) = (note("url"), note("token"));
    for queue in QUEUES {
        let name = format!("name: chorus-{queue}-worker");
        assert_eq!(
            pods.matches(&name).count(),
            2,
            "pods and their budget: {queue}"
        );
        assert!(root("Procfile").contains(&format!("\n{queue}: {queue}-worker\n")));
        root(&format!("deploy/railway/{queue}-worker.toml"));
        let scaler = scalers.split("\n---\n").find(|part| part.contains(&name));
        let scaler = scaler.unwrap();
        assert!(scaler.contains(&format!("scaleTargetRef: {{{name}}}")));
        let asked = between(scaler, "url: http://chorus-api:8000", &['\n'])[0];
        assert!(asked.starts_with(&format!("/api/v1/admin/queues/{queue}/scale?")));
        let request = reqwest::Client::new().get(format!("{url}{asked}"));
        let answer = request.bearer_auth(&token).send().await.unwrap();
        let answer: serde_json::Value = answer.error_for_status().unwrap().json().await.unwrap();
        let field = between(scaler, "valueLocation: ", &['\n'])[0];
        assert_eq!(answer[field], 1, "{answer}");
    }
}

#[test]
fn systemd_is_told_when_the_process_is_ready_and_when_it_stops() {
    let place = Place::new();
    let path = place.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let told = |what: &str| {
        until(what, || {
            let mut bytes = [0; 64];
            let length = socket.recv(&mut bytes).ok()?;
            Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
        })
    };
    let house = place.house_with(&[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    assert_eq!(told("that it is ready"), "READY=1");
    house.interrupt().is(0);
    assert_eq!(told("that it stops"), "STOPPING=1");
    for unit in ["chorus-api", "chorus-worker@"] {
        let unit = root(&format!("deploy/systemd/{unit}.service"));
        assert!(unit.contains("\nType=notify\n"), "{unit}");
    }
}
