//! The table, with the bars that this project set itself.

use crate::archive::Archive;
use crate::limits::Limits;
use crate::measure::Measured;
use crate::rounds::Rounds;
use std::time::Duration;

/// Everything one run measured.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) limits: Limits,
    fleets: Vec<(&'static str, Measured)>,
    pub(crate) archive: Option<Archive>,
    pub(crate) rounds: Option<Rounds>,
}

struct Bar {
    what: String,
    value: String,
    wanted: String,
    holds: bool,
}

impl Report {
    pub(crate) fn add(&mut self, name: &'static str, measured: Measured) {
        self.fleets.push((name, measured));
    }

    pub(crate) fn holds(&self) -> bool {
        self.fleets
            .iter()
            .all(|(name, measured)| self.bars(name, measured).iter().all(|bar| bar.holds))
            && self.of_archive().iter().all(|bar| bar.holds)
            && self.of_rounds().iter().all(|bar| bar.holds)
    }

    pub(crate) fn print(&self) {
        say("\nThis machine");
        say(&format!(
            "  bare axum GET          {:>10.0} /s",
            self.limits.get
        ));
        for (connections, rate) in &self.limits.commits {
            say(&format!(
                "  commits, {connections:>2} connections{rate:>10.0} /s"
            ));
        }
        if self.limits.confirms_serial > 0.0 {
            say(&format!(
                "  confirms, one by one   {:>10.0} /s",
                self.limits.confirms_serial
            ));
            say(&format!(
                "  confirms, 64 at once   {:>10.0} /s",
                self.limits.confirms_pipelined
            ));
            say(&format!(
                "  at 20 a second: a commit {}, a confirm {}",
                millis(self.limits.commit_paced),
                millis(self.limits.confirm_paced)
            ));
        }
        for (name, measured) in &self.fleets {
            print(name, &self.bars(name, measured));
        }
        if self.archive.is_some() {
            print("fleet on a million sagas", &self.of_archive());
        }
        if self.rounds.is_some() {
            print("rounds of topics", &self.of_rounds());
        }
    }

    /// What a community costs its neighbours, and itself.
    fn of_rounds(&self) -> Vec<Bar> {
        let Some(rounds) = &self.rounds else {
            return vec![];
        };
        let ratio = rounds.beside.as_secs_f64() / rounds.alone.as_secs_f64();
        vec![
            Bar {
                what: "a round of 10,000 ideas".to_owned(),
                value: format!("{:.1} s", rounds.large.as_secs_f64()),
                wanted: "under 60 s".to_owned(),
                holds: rounds.large < Duration::from_mins(1),
            },
            Bar {
                what: "synthesis worker, at its peak".to_owned(),
                value: format!("{:.0} MiB", rounds.peak),
                wanted: "under 286 MiB (300 MB)".to_owned(),
                holds: rounds.peak < 286.0,
            },
            plain(
                "200 rounds in 200 pools",
                format!("{:.1} s", rounds.all.as_secs_f64()),
            ),
            plain("persona p50, alone", millis(rounds.alone)),
            plain("persona p50, beside those", millis(rounds.beside)),
            Bar {
                what: "beside to alone".to_owned(),
                value: format!("{ratio:.2}"),
                wanted: "at most 2.00".to_owned(),
                holds: ratio <= 2.0,
            },
        ]
    }

    /// What a long past costs.
    fn of_archive(&self) -> Vec<Bar> {
        let Some(archive) = &self.archive else {
            return vec![];
        };
        let ratio = archive.full / archive.empty;
        let mut bars = vec![
            plain(
                "sagas on an empty store",
                format!("{:.0} /s", archive.empty),
            ),
            plain("sagas on a full one", format!("{:.0} /s", archive.full)),
            Bar {
                what: "full to empty".to_owned(),
                value: format!("{ratio:.2}"),
                wanted: "at least 0.80".to_owned(),
                holds: ratio >= 0.8,
            },
        ];
        bars.extend(archive.lists.iter().map(|list| Bar {
            what: list.path.trim_start_matches("/api/v1/admin/").to_owned(),
            value: format!("{} (p50 {})", millis(list.p99), millis(list.p50)),
            wanted: "p99 under 50 ms".to_owned(),
            holds: list.p99 < Duration::from_millis(50),
        }));
        bars
    }

    /// What the API takes in while nobody works.
    fn accepts(m: &Measured) -> Vec<Bar> {
        let Some(backlog) = &m.backlog else {
            return vec![];
        };
        let accepts = backlog.accepts;
        let ratio = accepts / backlog.posts;
        vec![
            at_least("accepts (202 after commit), alone", accepts, Some(5_000.0)),
            plain(
                "bare axum POST, in turns",
                format!("{:.0} /s", backlog.posts),
            ),
            Bar {
                what: "accepts to bare POSTs".to_owned(),
                value: format!("{ratio:.3}"),
                wanted: "at least 0.100".to_owned(),
                holds: ratio >= 0.1,
            },
            plain("accept p99 in that burst", millis(backlog.accept_p99)),
            plain(
                "that backlog, worked off",
                format!("{:.0} /s", backlog.drained),
            ),
        ]
    }

    /// A saga's latency beside the commits and confirms that it cannot do without: three and two, at the pace at which
    /// the sagas come. In a loop those take a third of the time, on a machine that has no time to sleep; a saga that
    /// comes alone never meets that machine, so this is told and not held.
    fn latency(&self, split: bool, p50: Duration) -> Vec<Bar> {
        let what = "p50, accept to done at 20/s";
        let Some(hot) = self.limits.hot_path().filter(|_| split) else {
            return vec![plain(what, millis(p50))];
        };
        let bar = self.limits.paced_path().mul_f64(1.5);
        vec![
            Bar {
                what: what.to_owned(),
                value: millis(p50),
                wanted: format!("at most {}", millis(bar)),
                holds: p50 <= bar,
            },
            plain("that bar, by loops", millis(hot.mul_f64(1.5))),
        ]
    }

    fn bars(&self, name: &str, m: &Measured) -> Vec<Bar> {
        let split = name.starts_with("fleet");
        let least = |what, value: f64, least: f64| at_least(what, value, split.then_some(least));
        let memory: f64 = m.memory.iter().map(|(_, mib)| mib).sum();
        let idle = m
            .idle
            .iter()
            .map(|(_, percent)| *percent)
            .fold(0.0, f64::max);
        let latency = self.latency(split, m.latency_p50);
        let mut bars = Self::accepts(m);
        bars.push(least("accepts while workers take them", m.accepts, 5_000.0));
        bars.push(plain("accept p99 meanwhile", millis(m.accept_p99)));
        bars.extend([
            least("sagas, two steps on one queue", m.sagas, 2_500.0),
            plain(
                "sagas, two steps on two queues",
                format!("{:.0} /s", m.relayed),
            ),
        ]);
        bars.extend(latency);
        bars.extend([
            plain("p99, accept to done at 20/s", millis(m.latency_p99)),
            least("status polls", m.polls, 20_000.0),
            Bar {
                what: "memory, all processes".to_owned(),
                value: format!("{memory:.0} MiB"),
                wanted: if split {
                    "under 76 MiB (80 MB)".to_owned()
                } else {
                    String::new()
                },
                holds: !split || memory < 76.3,
            },
            plain("memory, each", list(&m.memory, "MiB")),
            Bar {
                what: "idle, busiest process".to_owned(),
                value: format!("{idle:.2} %"),
                wanted: "under 0.5 %".to_owned(),
                holds: idle < 0.5,
            },
            plain("idle, each", list(&m.idle, "%")),
        ]);
        bars
    }
}

/// Prints a heading and what belongs under it.
fn print(name: &str, bars: &[Bar]) {
    say(&format!("\n{name}"));
    for bar in bars {
        let mark = if bar.wanted.is_empty() {
            ""
        } else if bar.holds {
            "ok"
        } else {
            "BELOW"
        };
        say(&format!(
            "  {:<34} {:>13}  {:<24}{mark}",
            bar.what, bar.value, bar.wanted
        ));
    }
}

fn plain(what: &'static str, value: String) -> Bar {
    Bar {
        what: what.to_owned(),
        value,
        wanted: String::new(),
        holds: true,
    }
}

fn at_least(what: &'static str, value: f64, wanted: Option<f64>) -> Bar {
    Bar {
        what: what.to_owned(),
        value: format!("{value:.0} /s"),
        wanted: wanted.map_or_else(String::new, |least| format!("at least {least:.0}")),
        holds: wanted.is_none_or(|least| value >= least),
    }
}

fn list(each: &[(&str, f64)], unit: &str) -> String {
    each.iter()
        .map(|(name, value)| format!("{name} {value:.1} {unit}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// One line for the person who runs this.
#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
