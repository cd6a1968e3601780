//! The broker: does it answer, which one is it, does it have our queues as they are to be?

use super::finding::Finding;
use process::settings::Mode;
use process::{QUEUES, Settings};
use saga_core::transport::{Inspected, Names, QueueFound, RabbitMq};

/// Quorum queues with a delivery limit and at-least-once dead-lettering came with it.
const VERSION_MIN: (u32, u32) = (3, 10);

pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    let Mode::Fleet { amqp_url, .. } = &settings.mode else {
        return vec![Finding::ok("broker", "none is needed in embedded mode")];
    };
    let (names, queues) = (
        Names::under(&settings.queue_prefix),
        QUEUES.map(str::to_owned).to_vec(),
    );
    let broker = RabbitMq::new(amqp_url.reveal(), names, "chorus doctor", queues);
    match broker.inspect().await {
        Ok(inspected) => {
            let version = version(inspected.version.as_deref());
            [version].into_iter().chain(queues_of(&inspected)).collect()
        }
        Err(why) => {
            let remedy = "start it, or set AMQP_URL to where it is; commands are accepted meanwhile, steps wait";
            vec![Finding::failed("broker", why, remedy)]
        }
    }
}

fn version(told: Option<&str>) -> Finding {
    let Some(version) = told else {
        return Finding::ok("broker", "RabbitMQ answers");
    };
    let mut parts = version.split('.').map_while(|part| part.parse().ok());
    let found = format!("RabbitMQ {version} answers");
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) if (major, minor) < VERSION_MIN => {
            let (major, minor) = VERSION_MIN;
            Finding::failed(
                "broker",
                found,
                format!("RabbitMQ {major}.{minor} or newer"),
            )
        }
        _ => Finding::ok("broker", found),
    }
}

/// One line for all queues that are right, and one for each that is not.
fn queues_of(inspected: &Inspected) -> Vec<Finding> {
    let wrong = inspected.queues.iter().filter_map(|(name, found)| {
        Some(match found {
            QueueFound::Right => return None,
            QueueFound::Missing => Finding::warning(
                "broker",
                format!("there is no queue {name} yet"),
                "start a worker of that queue, which makes it; until then its tickets wait in the store",
            ),
            QueueFound::Wrong(why) => Finding::failed(
                "broker",
                format!("the queue {name} was made otherwise: {why}"),
                format!("delete it (rabbitmqctl delete_queue {name}): no step is lost, a worker makes it anew"),
            ),
        })
    });
    let mut findings: Vec<Finding> = wrong.collect();
    if findings.is_empty() {
        let found = format!(
            "{} quorum queues, as they are to be",
            inspected.queues.len()
        );
        findings.push(Finding::ok("broker", found));
    }
    findings
}
