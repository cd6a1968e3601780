//! Text and rules: does the steps of the queue `synthesis`.

fn main() -> std::process::ExitCode {
    chorus_workers::worker::run(domain::queues::SYNTHESIS)
}
