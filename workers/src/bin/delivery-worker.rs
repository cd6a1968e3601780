//! Mail and webhooks: does the steps of the queue `delivery`.

fn main() -> std::process::ExitCode {
    chorus_workers::worker::run(domain::queues::DELIVERY)
}
