//! Services that are away, hang, forget, lose patience, or are hard to reach; and memory that is not there.

use crate::faults::held;
use crate::{TURN, left_out};
use crash::away::{BACK_WITHIN, go_away};
use crash::failover::{FailedOver, fail_over};
use crash::frozen::freeze;
use crash::hungry::starve;
use crash::narrow::squeeze;
use crash::services::Services;
use crash::tardy::dawdle;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn services_may_go_away_and_the_fleet_says_so_and_comes_back_by_itself() {
    if left_out("the services that go away") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let returned = go_away(&services).await.unwrap();
    held(&returned.verdict);
    eprintln!("  {:?}, queues {:?}", returned.turns, returned.queues);
    assert_eq!(returned.turns.len(), 2);
    for (away, _, back) in &returned.turns {
        assert!(*back < BACK_WITHIN, "{away}: {back:?}");
    }
    assert!(returned.queues < BACK_WITHIN, "{:?}", returned.queues);
    assert_eq!(returned.ended, 0, "a process ended of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_may_hang_and_the_fleet_says_so_and_goes_on_when_it_does() {
    if left_out("the broker that hangs") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let frozen = freeze(&services).await.unwrap();
    held(&frozen.verdict);
    eprintln!(
        "  said after {:?}, accepted within {:?}, {} sessions ended, back after {:?}",
        frozen.said, frozen.slowest, frozen.ended, frozen.back
    );
    assert!(frozen.slowest < Duration::from_secs(2));
    assert!(frozen.ended >= 3, "heartbeats ended {}", frozen.ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_loses_patience_with_a_step_costs_nothing() {
    if left_out("the broker that loses patience") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let tardy = dawdle(&services).await.unwrap();
    held(&tardy.verdict);
    eprintln!("  {} consumers were cut off", tardy.closed);
    assert!(tardy.closed > 0, "the broker was patient");
    assert_eq!(tardy.blamed, 0, "steps were counted as crashed");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_make_a_fleet_slower_and_nothing_else() {
    if left_out("the bad lines") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let squeezed = squeeze(&services).await.unwrap();
    held(&squeezed.verdict);
    eprintln!("  {:?}", squeezed.took);
    eprintln!("  {} complaints", squeezed.complaints);
    let took = |n: usize| squeezed.took[n].1;
    assert!(took(1) > took(0) && took(2) > took(0), "nothing was slower");
    assert_eq!((squeezed.repeated, squeezed.again), (0, 0));
    assert!(squeezed.complaints < 10, "{}", squeezed.complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_all_the_memory_has_a_letter_and_harms_no_other() {
    if left_out("the memory that is not there") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let starved = starve(&services).await.unwrap();
    held(&starved.verdict);
    eprintln!("  {} workers ended", starved.deaths);
    assert_eq!(starved.letters, ["poison", "poison"]);
    assert!(starved.deaths >= 6, "{} workers ended", starved.deaths);
    assert_eq!(starved.blamed, 0, "neighbours were counted as crashed");
}

async fn failed_over(synchronous: bool) -> anyhow::Result<FailedOver> {
    let _turn = TURN.lock().await;
    let services = Services::start().await?;
    let over = fail_over(&services, synchronous).await?;
    held(&over.verdict);
    eprintln!(
        "  {} sagas forgotten, {} steps rolled back, done after {:?}",
        over.forgotten, over.rolled_back, over.back
    );
    Ok(over)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_knows_every_commit_takes_over_and_nothing_is_lost() {
    if left_out("the fail-over") {
        return;
    }
    let over = failed_over(true).await.unwrap();
    assert_eq!((over.forgotten, over.rolled_back), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_missed_the_last_commits_takes_over_and_what_it_knows_holds() {
    if left_out("the fail-over that loses") {
        return;
    }
    let over = failed_over(false).await.unwrap();
    assert!(
        over.forgotten > 0 && over.rolled_back > 0,
        "nothing was lost"
    );
}
