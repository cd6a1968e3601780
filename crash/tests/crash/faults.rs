//! The network, the clocks, the broker's memory and the disk fail under a fleet.

use crate::{TURN, left_out};
use crash::alarm::{ALARMED, alarm};
use crash::doubt::doubt;
use crash::full::{Filled, full};
use crash::oracle::Verdict;
use crash::partition::partition;
use crash::services::Services;
use crash::skew::{library, skew};
use std::time::Duration;

/// Whatever happens this holds. A call whose answer was on its way to the store may be made again.
pub(crate) fn held(verdict: &Verdict) {
    eprintln!("{verdict}");
    let wrongs = [
        &verdict.lost,
        &verdict.doubled,
        &verdict.out_of_order,
        &verdict.wrong_set,
        &verdict.unfinished,
        &verdict.wrong_ending,
    ];
    assert_eq!(wrongs, [&Vec::<String>::new(); 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_may_be_cut_off_from_store_and_broker_in_every_way() {
    if left_out("the partitions") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let parted = partition(&services).await.unwrap();
    held(&parted.verdict);
    eprintln!(
        "  back at work {:?} after, paid {:?}",
        parted.back, parted.paid
    );
    let (calls, steps) = parted.paid;
    assert!(
        calls >= steps && calls <= steps * 2,
        "{calls} calls for {steps}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_commit_may_be_lost_and_the_client_asks_again() {
    if left_out("the commits in doubt") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let doubted = doubt(&services).await.unwrap();
    eprintln!("{doubted:?}");
    assert_eq!(doubted.strange, Vec::<String>::new());
    assert!(
        doubted.unanswered > 0 && doubted.refused > 0,
        "nothing was in doubt"
    );
    assert_eq!(
        (doubted.ids, doubted.there),
        (doubted.commands, doubted.commands)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_do_not_mind_workers_whose_clocks_are_an_hour_off() {
    let Some(library) = library() else {
        testing::left_out("the clocks that are off, for want of libfaketime");
        return;
    };
    if left_out("the clocks that are off") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let skewed = skew(&services, &library).await.unwrap();
    eprintln!("{skewed:?}");
    assert_eq!(skewed.lost, 0, "steps were taken from workers that lived");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_may_run_out_of_memory_and_the_api_accepts() {
    if left_out("the broker's alarm") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let alarmed = alarm(&services).await.unwrap();
    held(&alarmed.verdict);
    eprintln!(
        "  {:?} {:?} {}",
        alarmed.slowest, alarmed.back, alarmed.said
    );
    assert_eq!(alarmed.said, "down");
    // One for each publisher there is, at most.
    assert!(
        alarmed.ticketed <= ALARMED / 2,
        "{} tickets were confirmed",
        alarmed.ticketed
    );
    let soon = Duration::from_secs(2);
    assert!(alarmed.slowest < soon, "{:?}", alarmed.slowest);
    assert!(alarmed.back < Duration::from_secs(20), "{:?}", alarmed.back);
}

fn refused_and_whole(filled: Option<Filled>) {
    let Some(filled) = filled else { return };
    held(&filled.verdict);
    eprintln!("  {} accepted, then {}", filled.accepted, filled.refused);
    assert!(filled.refused.is_server_error(), "{}", filled.refused);
    assert!(filled.alive, "a process died of it");
    assert_eq!(filled.ghosts, 0, "a command that was refused began a saga");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_goes_on_once_the_stores_disk_is_not_full_any_more() {
    if left_out("the full disk") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    refused_and_whole(full(Some(&services)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_process_goes_on_once_its_disk_is_not_full_any_more() {
    if left_out("the embedded full disk") {
        return;
    }
    let _turn = TURN.lock().await;
    refused_and_whole(full(None).await.unwrap());
}
